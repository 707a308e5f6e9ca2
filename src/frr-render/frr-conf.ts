import Handlebars from 'handlebars';
import type { IpFamily } from '../core/ip.ts';
import type { BgpDesiredState, BgpRouter } from '../reconciler/index.ts';
import { peerFamilies } from '../reconciler/index.ts';
import { BFD_PEER_STATEMENTS, bfdPeerName, bfdProfileStatements } from './bfd.ts';
import { neighborFamilyStatements, neighborStatements } from './neighbor.ts';
import { createNetworkLines, type NetworkLines } from './network-lines.ts';
import { classRouteMaps, neighborRouteMaps, type RouteMapEntry } from './route-maps.ts';
import { treatmentClasses, treatmentsIn } from './treatment-class.ts';

/** FRR's syslog levels (FRR documentation, "Basic Setup", `log stdout`), from the one that says least. */
export const FRR_LOG_LEVELS = [
  'emergencies',
  'alerts',
  'critical',
  'errors',
  'warnings',
  'notifications',
  'informational',
  'debugging',
] as const;
export type FrrLogLevel = (typeof FRR_LOG_LEVELS)[number];

export interface FrrConfOptions {
  readonly hostname: string;
  readonly logLevel: FrrLogLevel;
}

export type FrrConfTemplate = (bgp: BgpDesiredState, options: FrrConfOptions) => string;

interface FrrConfView {
  readonly hostname: string;
  readonly logLevel: FrrLogLevel;
  readonly debugs: readonly string[];
  readonly routeMaps: readonly RouteMapEntry[];
  readonly hasBfd: boolean;
  readonly bfdProfiles: readonly { readonly name: string; readonly statements: readonly string[] }[];
  readonly bfdPeers: readonly { readonly name: string; readonly statements: readonly string[] }[];
  readonly routers: readonly RouterView[];
  readonly hasExtras: boolean;
  readonly extras: string;
}

interface RouterView {
  readonly asn: number;
  readonly vrfSuffix: string;
  readonly statements: readonly string[];
  readonly families: readonly FamilyView[];
}

interface FamilyView {
  readonly name: IpFamily;
  /** All `network` statements as they are to stand: the template would make a string for each of ten thousand. */
  readonly networks: string;
  readonly statements: readonly string[];
}

/** What every router needs. */
const ROUTER_PREAMBLE = [
  'no bgp ebgp-requires-policy',
  'no bgp network import-check',
  'no bgp default ipv4-unicast',
  'bgp graceful-restart preserve-fw-state',
  // This is how FRR tells of sessions that come and go.
  'bgp log-neighbor-changes',
  // So long, milliseconds, the routes wait for other neighbors once a session is up; by default it is more than a second.
  'coalesce-time 100',
];

const DEBUGS = [
  ...['events', 'nht', 'kernel', 'rib', 'nexthop'].map((topic) => `zebra ${topic}`),
  // Without a direction `updates` would do as well, but FRR prints it as these two.
  ...['neighbor-events', 'updates in', 'updates out', 'keepalives', 'nht', 'zebra'].map(
    (topic) => `bgp ${topic}`,
  ),
  ...['network', 'peer', 'zebra'].map((topic) => `bfd ${topic}`),
];

/**
 * Compiles the template of frr.conf. Equal states give equal bytes, and what it remembers of the call before only saves work.
 * Escaping is off (frr.conf is not HTML); every string that comes here was parsed, so none holds a line break except
 * the user's extras, which are meant to.
 */
export function compileFrrConf(templateText: string): FrrConfTemplate {
  const template = Handlebars.compile<FrrConfView>(templateText, { noEscape: true, strict: true });
  const networkLines = createNetworkLines();
  return (bgp, options) => template(viewOf(bgp, options, networkLines));
}

function viewOf(
  bgp: BgpDesiredState,
  options: FrrConfOptions,
  networkLines: ReturnType<typeof createNetworkLines>,
): FrrConfView {
  const classes = treatmentClasses(bgp);
  const networks = networkLines(bgp.routers, classes);
  const { bfdPeers = [] } = bgp;
  return {
    hostname: hostnameFor(options.hostname),
    logLevel: options.logLevel,
    debugs: options.logLevel === 'debugging' ? DEBUGS : [],
    routeMaps: [
      ...classRouteMaps(classes.values()),
      ...bgp.routers.flatMap((router) => {
        const treatments = treatmentsIn(router);
        return router.neighbors.flatMap((peer) => neighborRouteMaps(treatments, peer, classes));
      }),
    ],
    hasBfd: bgp.bfdProfiles.length > 0 || bfdPeers.length > 0,
    bfdProfiles: bgp.bfdProfiles.map((profile) => ({
      name: profile.name,
      statements: bfdProfileStatements(profile),
    })),
    bfdPeers: bfdPeers.map((peer) => ({ name: bfdPeerName(peer), statements: BFD_PEER_STATEMENTS })),
    routers: bgp.routers.map((router) => routerView(router, networks.get(router.vrf))),
    hasExtras: bgp.extras !== '',
    extras: bgp.extras.replace(/\r\n?/g, '\n').replace(/\n+$/, ''),
  };
}

/** Linux takes any text for a host name; FRR takes one that begins with a letter or digit, and a line break would be a command. */
function hostnameFor(name: string): string {
  const text = name.replace(/[^A-Za-z0-9.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return text === '' ? 'node' : text.slice(0, 63);
}

function routerView(router: BgpRouter, lines: NetworkLines | undefined): RouterView {
  const families = (['ipv4', 'ipv6'] as const).map((family) => ({
    name: family,
    networks: lines?.[family] ?? '',
    statements: router.neighbors
      .filter((peer) => peerFamilies(peer).includes(family))
      .flatMap(neighborFamilyStatements),
  }));
  return {
    asn: router.asn,
    vrfSuffix: router.vrf === '' ? '' : ` vrf ${router.vrf}`,
    statements: [
      ...ROUTER_PREAMBLE,
      ...(router.routerId ? [`bgp router-id ${router.routerId.text}`] : []),
      ...router.neighbors.flatMap(neighborStatements),
    ],
    families: families.filter(({ networks, statements }) => networks !== '' || statements.length > 0),
  };
}
