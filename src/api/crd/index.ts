export { CRD_KINDS, type CrdKind } from './kinds.ts';
export { crdOf } from './manifest.ts';
