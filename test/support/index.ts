/**
 * What tests share: bounded waiting, folders and namespaces that vanish with the test file, and a run for each FRR
 * release. It decides which tests are skipped and why; it never asserts anything about the product.
 */
export { atEnd, tempDir } from './cleanup.ts';
export { eventually } from './eventually.ts';
export type { EventuallyOptions } from './eventually.ts';
export { describeWithFrr, describeWithNetns, describeWithNewestFrr, startTestFrr, testNetns } from './frr.ts';
export { freePort } from './free-port.ts';
export { heapUsed } from './heap.ts';
export { residentKiB } from './resident.ts';
