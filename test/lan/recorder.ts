import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFrame } from './frames.ts';
import { sightingsOf, type Sighting } from './judge.ts';
import { PcapReader, type RecordedPacket } from './pcap.ts';

const START_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 10_000;

export interface CaptureOptions {
  readonly netns: string;
  /** On a bridge each frame that crosses it is seen once, whoever it is for. */
  readonly interfaceName: string;
  /** As in pcap-filter(7). */
  readonly filter: string;
  /** Bytes kept of each packet; 160 unless given. */
  readonly keepBytes?: number;
  readonly onPacket: (packet: RecordedPacket) => void;
}

/** A running capture. */
export interface Capture {
  /** Ends it, when everything recorded so far has been handed over. Throws when packets were lost; harmless twice. */
  readonly close: () => Promise<void>;
}

/** Starts tcpdump; frames from the moment this resolves are recorded, with the kernel's times. */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { netns, interfaceName, filter, keepBytes = 160, onPacket } = options;
  const child = spawn(
    'nsenter',
    [
      ...[`--net=/run/netns/${netns}`, '--', 'tcpdump', '-i', interfaceName, '-w', '-', '-U'],
      ...['--immediate-mode', '--time-stamp-precision=nano', '-n', '-B', '32768', '-s', String(keepBytes)],
      filter,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const reader = new PcapReader(onPacket);
  let said = '';
  let failure: unknown;
  child.stdout.on('data', (chunk: Buffer) => {
    try {
      reader.take(chunk);
    } catch (error) {
      failure ??= error;
      child.kill('SIGKILL');
    }
  });
  const ended = once(child, 'close');
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
    if (failure !== undefined) throw new Error('the recording cannot be read', { cause: failure });
    const lost = /^(\d+) packets dropped by kernel/m.exec(said)?.[1];
    if (lost === undefined) throw new Error(`tcpdump did not end as it should: ${said.trim()}`);
    if (lost !== '0') throw new Error(`tcpdump lost ${lost} packets: the recording proves nothing`);
  };
  const listening = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      // Printed once the socket is open and the filter set.
      if (said.includes('listening on')) resolve();
    });
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  await Promise.race([listening, ended]);
  clearTimeout(timer);
  if (!said.includes('listening on'))
    throw new Error(`tcpdump on ${interfaceName} of ${netns}: ${said.trim()}`);
  return { close: () => (closing ??= close()) };
}

/** What was said on a LAN about who has which address. */
export interface LanRecorder {
  /** Everything so far, by time. */
  readonly sightings: readonly Sighting[];
  /**
   * Waits for a sighting, recorded already or to come.
   * @throws after `timeoutMs` without one
   */
  readonly first: (wanted: (sighting: Sighting) => boolean, timeoutMs: number) => Promise<Sighting>;
  /** Forgets what was recorded before that time. */
  readonly forgetBefore: (atMs: number) => void;
  /** As {@link Capture.close}. */
  readonly close: () => Promise<void>;
}

/**
 * Records ARP and Neighbor Discovery on an interface.
 * @param ignored MAC address whose frames, from it and to it, are too many to record
 */
export async function recordLan(
  netns: string,
  interfaceName: string,
  ignored?: string,
): Promise<LanRecorder> {
  let sightings: Sighting[] = [];
  const waits = new Set<(sighting: Sighting) => void>();
  const capture = await startCapture({
    netns,
    interfaceName,
    filter: `(arp or (icmp6 and (ip6[40] == 135 or ip6[40] == 136)))${ignored === undefined ? '' : ` and not ether host ${ignored}`}`,
    onPacket: ({ atMs, bytes }) => {
      const frame = readFrame(bytes);
      if (frame === undefined) return;
      for (const sighting of sightingsOf(atMs, frame)) {
        sightings.push(sighting);
        for (const wait of waits) wait(sighting);
      }
    },
  });
  return {
    get sightings() {
      return sightings;
    },
    first: async (wanted, timeoutMs) => {
      const known = sightings.find(wanted);
      if (known) return known;
      return new Promise((resolve, reject) => {
        const wait = (sighting: Sighting): void => {
          if (!wanted(sighting)) return;
          clearTimeout(timer);
          waits.delete(wait);
          resolve(sighting);
        };
        const timer = setTimeout(() => {
          waits.delete(wait);
          reject(new Error(`nothing of the kind was said on the LAN within ${timeoutMs} ms`));
        }, timeoutMs);
        waits.add(wait);
      });
    },
    forgetBefore: (atMs) => {
      sightings = sightings.filter((sighting) => sighting.atMs >= atMs);
    },
    close: () => capture.close(),
  };
}
