/** What a process tells of itself: log lines and metrics. It decides nothing. */
export { createLogger, type Logger, type LogLevel } from './logger.ts';
export { serveHealth } from './health-server.ts';
export { serveMetrics } from './metrics-server.ts';
export {
  serveSecureMetrics,
  type ScrapeAuthorizer,
  type ScrapeVerdict,
  type TlsSettings,
} from './secure-metrics.ts';
export { collectProcessMetrics } from './process-metrics.ts';
export { registerSamples, type Sample } from './sampled-metrics.ts';
export { createProblemLog } from './problem-log.ts';
