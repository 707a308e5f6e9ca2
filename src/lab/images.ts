/** What runs in a lab node: the argument of `images/lab/entrypoint`. */
export type LabRole = 'node' | 'controller' | 'router-frr' | 'router-bird' | 'router-gobgp' | 'client';

/** An image that the namespaces can stand in for. */
export interface LabImage {
  readonly name: string;
  readonly role: LabRole;
  /** Programs the role starts; each must be on the machine. */
  readonly programs: readonly string[];
}

const PREFIX = 'localhost/metallb-frr';
const FRR = ['/usr/lib/frr/watchfrr', '/usr/lib/frr/bgpd', '/usr/lib/frr/bfdd', 'vtysh'] as const;

export const LAB_IMAGES: readonly LabImage[] = [
  { name: `${PREFIX}/lab-node`, role: 'node', programs: FRR },
  { name: `${PREFIX}/lab-controller`, role: 'controller', programs: [] },
  { name: `${PREFIX}/lab-router-frr`, role: 'router-frr', programs: FRR },
  { name: `${PREFIX}/lab-router-bird`, role: 'router-bird', programs: ['bird', 'birdc'] },
  { name: `${PREFIX}/lab-router-gobgp`, role: 'router-gobgp', programs: ['gobgpd', 'gobgp'] },
  { name: `${PREFIX}/lab-client`, role: 'client', programs: ['curl'] },
];

/** The image of that name, with or without the tag `latest`. */
export function labImage(reference: string): LabImage | undefined {
  const name = reference.replace(/:latest$/, '');
  return LAB_IMAGES.find((image) => image.name === name);
}
