import { compareIp, parseIp } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import { livesAt, type WrittenLayer2 } from '../l2/index.ts';
import { formatTable } from './output.ts';

/** One address on the LAN, and who answers for it. */
export interface Layer2Owner {
  readonly address: string;
  /** `namespace/name` */
  readonly service: string;
  readonly node: string;
  /** Whether the speaker of the node says that it lives. */
  readonly isNodeHeard: boolean;
  readonly interfaces: readonly string[];
  /** RFC 3339 */
  readonly since: string;
  readonly cause: string;
  /** The node to which it is being handed over. */
  readonly nextOwner?: string;
  /** The node that somebody wants to have it. */
  readonly requested?: string;
}

/** Sorted by address, then by Service. */
export function layer2Owners(
  { ownerships, speakers, moves }: WrittenLayer2,
  nowMs: number,
): readonly Layer2Owner[] {
  return [...ownerships]
    .flatMap(([service, { ips, node, interfaces, since, cause, nextOwner }]) => {
      const speaker = speakers.get(node);
      const requested = moves.get(service);
      return ips.map((address) => ({
        ...{ address, service, node, isNodeHeard: speaker !== undefined && livesAt(speaker, nowMs) },
        ...{ interfaces, since, cause },
        ...(nextOwner === undefined ? {} : { nextOwner }),
        ...(requested === undefined ? {} : { requested }),
      }));
    })
    .sort((a, b) => compareAddress(a.address, b.address) || compareText(a.service, b.service));
}

export function layer2Table(owners: readonly Layer2Owner[]): string {
  return formatTable(
    ['ADDRESS', 'SERVICE', 'NODE', 'INTERFACES', 'SINCE', 'WHY'],
    owners.map((owner) => [
      owner.address,
      owner.service,
      nodeText(owner),
      owner.interfaces.join(', ') || '-',
      owner.since,
      owner.cause,
    ]),
  );
}

function nodeText({ node, isNodeHeard, nextOwner, requested }: Layer2Owner): string {
  const to = nextOwner ?? requested;
  return `${node}${isNodeHeard ? '' : ' (not heard of)'}${to === undefined || to === node ? '' : ` -> ${to}`}`;
}

function compareAddress(a: string, b: string): number {
  const [ipA, ipB] = [parseIp(a), parseIp(b)];
  return ipA && ipB ? compareIp(ipA, ipB) : compareText(a, b);
}
