import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** MetalLB's names for how much is logged. */
export type LogLevel = 'all' | 'debug' | 'info' | 'warn' | 'error' | 'none';

/**
 * JSON lines with a fixed `msg`; what varies is a field. Secrets are a type that prints as `[redacted]`; the paths here
 * are a second net. Lines are written as the output takes them, several at a time when there are many (10,000 Services
 * at once), and those left at the end when the process exits.
 */
export function createLogger(options: {
  readonly component: 'controller' | 'speaker';
  readonly level: LogLevel;
  readonly node?: string;
  readonly destination?: DestinationStream;
}): Logger {
  const { component, node, level } = options;
  return pino(
    {
      level: level === 'all' ? 'trace' : level === 'none' ? 'silent' : level,
      base: { component, ...(node === undefined ? {} : { node }) },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['password', '*.password', '*.*.password'], censor: '[redacted]' },
    },
    options.destination ?? pino.destination({ dest: 1, sync: false }),
  );
}
