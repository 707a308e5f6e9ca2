/** The one thing that is taken from this package: by its name, so that a bundle holds it and not all the rest. */
export { KubeConfig } from '@kubernetes/client-node';
