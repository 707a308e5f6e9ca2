/**
 * Desired BGP state to the text of frr.conf: names, order and presence are decided here, the template only places
 * them. The one folder that reveals passwords. It reads no file (the template's text is an argument) and decides
 * nothing about what is announced.
 */
export {
  compileFrrConf,
  FRR_LOG_LEVELS,
  type FrrConfOptions,
  type FrrConfTemplate,
  type FrrLogLevel,
} from './frr-conf.ts';
export { neighborFingerprint, neighborName } from './neighbor.ts';
export { bfdProfileStatements } from './bfd.ts';
export { blameFor, type Blame, type BlamedLine } from './blame.ts';
