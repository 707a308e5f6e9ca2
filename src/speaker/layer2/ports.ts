import type { Logger } from 'pino';
import { backoffMs } from '../../core/backoff.ts';
import type { IpAddress } from '../../core/ip.ts';
import {
  announcementFrames,
  linkLocalOf,
  parseMac,
  type Announced,
  type GroupState,
  type HeardClaim,
  type Layer2Group,
  type Link,
  type TableAddress,
} from '../../l2/index.ts';
import { RawSocketError } from '../../rawsock/index.ts';
import type { Layer2Metrics } from './metrics.ts';
import type { Places } from './places.ts';
import { Port, type PortEvents } from './port.ts';

const BACKOFF = { firstMs: 50, mostMs: 5_000 };

export interface PortsOptions {
  readonly logger: Logger;
  readonly metrics: Layer2Metrics;
  readonly onFrames: () => void;
  readonly onHeard: (link: string, heard: HeardClaim) => void;
  /** An interface can be used again: its table is empty. */
  readonly onReopened: (link: string) => void;
}

/** The sockets of all interfaces that may be used, opened again when they end. */
export interface Ports {
  readonly set: (links: readonly Link[]) => void;
  /** Answers for what is owned, and listens for what is not. */
  readonly place: (
    places: Places,
    groups: readonly Layer2Group[],
    stateOf: (key: string) => GroupState,
  ) => void;
  /** Other hosts' addresses that are listened for as well, from the next {@link place} on. @returns whether they are others */
  readonly listenFor: (ips: readonly IpAddress[]) => boolean;
  readonly send: (link: string, frames: (port: Port) => readonly Uint8Array[]) => void;
  readonly announce: (announced: Announced) => void;
  /** Who else has been heard on an interface; `undefined`: it is not open. */
  readonly companyOn: (link: string) => Port['company'] | undefined;
  readonly gatewaysOn: (link: string) => readonly IpAddress[];
  readonly isGateway: (ip: IpAddress) => boolean;
  readonly close: () => void;
}

export function createPorts(options: PortsOptions): Ports {
  const { logger, metrics } = options;
  const ports = new Map<string, Port>();
  const retries = new Map<string, { attempt: number; timer?: NodeJS.Timeout }>();
  let wanted = new Map<string, Link>();
  let gateways = new Map<string, IpAddress>();
  let listened: readonly IpAddress[] = [];
  let isClosed = false;

  const events: PortEvents = {
    onFrames: options.onFrames,
    onHeard: options.onHeard,
    onRequest: metrics.request,
    onDrop: metrics.dropped,
    onSendFailure: (link, error) => {
      metrics.sendFailed();
      logger.debug({ interface: link, err: error }, 'a frame was not sent');
    },
    onClosed: (name, error) => {
      logger.info({ interface: name, code: error.code }, 'interface went down');
      remove(name);
      openLater(name);
    },
  };

  const open = (link: Link): void => {
    const macs = [...wanted.values()].flatMap(({ mac }) => parseMac(mac) ?? []);
    try {
      ports.set(link.name, new Port(link, macs, events));
      const retried = retries.delete(link.name);
      if (retried) logger.info({ interface: link.name }, 'interface can be used again');
    } catch (error) {
      if (!(error instanceof RawSocketError)) throw error;
      if (!retries.has(link.name))
        logger.warn({ interface: link.name, err: error }, 'interface cannot be used, trying again');
      openLater(link.name);
    }
  };
  const openLater = (name: string): void => {
    if (isClosed) return;
    const retry = retries.get(name) ?? { attempt: 0 };
    retry.attempt += 1;
    clearTimeout(retry.timer);
    retry.timer = setTimeout(
      () => {
        const link = wanted.get(name);
        if (!link || ports.has(name)) return;
        open(link);
        if (ports.has(name)) options.onReopened(name);
      },
      backoffMs(retry.attempt, BACKOFF, Math.random()),
    );
    retries.set(name, retry);
  };
  const countUnseen = (name: string, port: Port): void => {
    for (const [reason, count] of port.unseen()) metrics.dropped(name, reason, count);
  };
  metrics.onScrape(() => {
    for (const [name, port] of ports) countUnseen(name, port);
  });
  const remove = (name: string): void => {
    const port = ports.get(name);
    if (!port) return;
    port.close();
    // The kernel's counts end with the sockets.
    countUnseen(name, port);
    ports.delete(name);
  };
  const shut = (name: string): void => {
    remove(name);
    clearTimeout(retries.get(name)?.timer);
    retries.delete(name);
  };

  return {
    set: (links) => {
      const before = wanted;
      wanted = new Map(links.filter(({ isUp }) => isUp).map((link) => [link.name, link]));
      gateways = new Map(links.flatMap((link) => link.gateways.map((ip) => [ip.text, ip])));
      for (const name of [...ports.keys(), ...retries.keys()]) {
        if (!wanted.has(name)) shut(name);
      }
      for (const [name, link] of wanted) {
        const old = before.get(name);
        if (ports.has(name) && old && isSameStation(old, link)) continue;
        shut(name);
        open(link);
      }
    },
    place: (places, groups, stateOf) => {
      const others = listened.map((ip): TableAddress => ({ ip, use: 'watched' }));
      const tables = new Map<string, TableAddress[]>([...ports.keys()].map((name) => [name, [...others]]));
      for (const group of groups) {
        const isOwned = stateOf(group.key).kind === 'owned';
        for (const ip of group.ips) {
          const here = places.linksOf(ip);
          for (const [name, table] of tables) {
            const isHere = here.some((link) => link.name === name);
            if (isOwned) table.push({ ip, use: isHere ? 'here' : 'elsewhere' });
            else if (isHere) table.push({ ip, use: 'watched' });
          }
        }
      }
      for (const [name, table] of tables) {
        for (const ip of gateways.values()) table.push({ ip, use: 'watched' });
        ports.get(name)?.setAddresses(table);
      }
    },
    listenFor: (ips) => {
      const textOf = (of: readonly IpAddress[]): string => of.map(({ text }) => text).join(' ');
      if (textOf(ips) === textOf(listened)) return false;
      listened = ips;
      return true;
    },
    send: (link, frames) => {
      const port = ports.get(link);
      if (port?.isOpen) port.send(frames(port));
    },
    announce: (announced) => {
      const port = ports.get(announced.interface);
      if (!port?.isOpen) return;
      const frames = announcementFrames(announced);
      if (announced.ip.family === 'ipv4') port.send(frames);
      else for (const frame of frames) port.sendToAllNodes(frame);
    },
    companyOn: (link) => ports.get(link)?.company,
    gatewaysOn: (link) => ports.get(link)?.link.gateways ?? [],
    isGateway: (ip) => gateways.has(ip.text),
    close: () => {
      isClosed = true;
      for (const name of [...ports.keys(), ...retries.keys()]) shut(name);
    },
  };
}

/** What the sockets and the answers depend on. */
function isSameStation(a: Link, b: Link): boolean {
  return a.index === b.index && a.mac === b.mac && linkLocalOf(a)?.text === linkLocalOf(b)?.text;
}
