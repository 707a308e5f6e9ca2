import { expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { createLogger, type Logger, type LogLevel } from './logger.ts';

function logged(level: LogLevel, act: (logger: Logger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  act(
    createLogger({
      component: 'speaker',
      node: 'n1',
      level,
      destination: { write: (line) => lines.push(line) },
    }),
  );
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('lines carry where they come from, and their level as a word', () => {
  const [line] = logged('info', (logger) => {
    logger.info({ peer: 'tor1' }, 'peer state changed');
  });
  expect(line).toMatchObject({
    component: 'speaker',
    node: 'n1',
    level: 'info',
    msg: 'peer state changed',
    peer: 'tor1',
  });
});

test.each<{ level: LogLevel; want: string[] }>([
  { level: 'all', want: ['trace', 'debug', 'info', 'warn', 'error'] },
  { level: 'debug', want: ['debug', 'info', 'warn', 'error'] },
  { level: 'info', want: ['info', 'warn', 'error'] },
  { level: 'warn', want: ['warn', 'error'] },
  { level: 'error', want: ['error'] },
  { level: 'none', want: [] },
])('$level', ({ level, want }) => {
  const lines = logged(level, (logger) => {
    for (const each of ['trace', 'debug', 'info', 'warn', 'error'] as const) logger[each]('x');
  });
  expect(lines.map((line) => line.level)).toEqual(want);
});

test('secrets are not written, by type or by name', () => {
  const [line] = logged('info', (logger) => {
    logger.info({ a: new Secret('hidden-1'), password: 'hidden-2', peer: { password: 'hidden-3' } }, 'x');
  });
  expect(JSON.stringify(line)).not.toContain('hidden');
  expect(line).toMatchObject({ password: '[redacted]', peer: { password: '[redacted]' } });
});
