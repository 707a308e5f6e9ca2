// Stands in for undici in the bundle: client-node's KubeConfig imports it for requests of its own, and ours go through
// node:https. The package would be the largest part of the bundle, and 5 MB of every process.
export class Agent {
  constructor() {
    throw new Error('undici is not part of this bundle');
  }
}
export class ProxyAgent extends Agent {}
export function fetch() {
  throw new Error('undici is not part of this bundle');
}
