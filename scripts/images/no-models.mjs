// Stands in for client-node's generated models in the bundle: its KubeConfig imports them for API clients of theirs, which
// ours does not make. They would be a fifth of the bundle.
export class ServerConfiguration {
  constructor() {
    throw new Error("client-node's API clients are not part of this bundle");
  }
}
export function createConfiguration() {
  throw new Error("client-node's API clients are not part of this bundle");
}
