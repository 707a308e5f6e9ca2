/** What runs in a lab node: the argument of `images/lab/entrypoint`. */
export type LabRole =
  'node' | 'controller' | 'router-frr' | 'router-bird' | 'router-gobgp' | 'backend' | 'client';

/** An image that the namespaces can stand in for. */
export interface LabImage {
  readonly name: string;
  readonly role: LabRole;
  /** Programs the role starts; each must be on the machine. */
  readonly programs: readonly string[];
  /** Processes that run for as long as all is well, by {@link processName}. */
  readonly processes: readonly string[];
}

const PREFIX = 'localhost/metallb-frr';
const FRR_PROCESSES = ['watchfrr', 'zebra', 'bgpd', 'bfdd', 'staticd'] as const;
const FRR = ['/usr/lib/frr/watchfrr', '/usr/lib/frr/bgpd', '/usr/lib/frr/bfdd', 'vtysh'] as const;

export const LAB_IMAGES: readonly LabImage[] = [
  { name: `${PREFIX}/lab-node`, role: 'node', programs: FRR, processes: [...FRR_PROCESSES, 'vip-server'] },
  { name: `${PREFIX}/lab-controller`, role: 'controller', programs: [], processes: ['controller'] },
  { name: `${PREFIX}/lab-router-frr`, role: 'router-frr', programs: FRR, processes: FRR_PROCESSES },
  {
    name: `${PREFIX}/lab-router-bird`,
    role: 'router-bird',
    programs: ['bird', 'birdc'],
    processes: ['bird'],
  },
  {
    name: `${PREFIX}/lab-router-gobgp`,
    role: 'router-gobgp',
    programs: ['gobgpd', 'gobgp'],
    processes: ['gobgpd'],
  },
  { name: `${PREFIX}/lab-backend`, role: 'backend', programs: [], processes: ['vip-server'] },
  { name: `${PREFIX}/lab-client`, role: 'client', programs: ['curl'], processes: [] },
];

/** Where a node's manifests are bound; a node that has them runs the speaker. */
export const MANIFESTS = '/manifests';

/** What a process of a lab node is called, from its command line: our own by their subcommand or script, others by program. */
export function processName(argv: readonly string[]): string {
  const program = baseName(argv[0] ?? '');
  if (program !== 'node') return program;
  const script = argv.slice(1).find((word) => !word.startsWith('-')) ?? '';
  const own = argv.find((word) => word === 'speaker' || word === 'controller');
  return own ?? baseName(script).replace(/\.[a-z]+$/, '');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The image of that name, with or without the tag `latest`. */
export function labImage(reference: string): LabImage | undefined {
  const name = reference.replace(/:latest$/, '');
  return LAB_IMAGES.find((image) => image.name === name);
}
