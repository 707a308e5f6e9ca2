import type { Logger } from 'pino';
import type { ObservedState } from '../../bfd-status/index.ts';
import type { IpAddress } from '../../core/ip.ts';
import type { Layer2Group, Layer2Service, Layer2Store, Link, LinkExclusion } from '../../l2/index.ts';
import type { Layer2Metrics } from './metrics.ts';

/** A BFD session with another speaker, for frr.conf. */
export interface SpeakerSession {
  readonly peer: IpAddress;
  readonly localAddress: IpAddress;
  readonly interface: string;
}

export interface Layer2Options {
  readonly me: string;
  readonly store: Layer2Store;
  /** Interfaces that are never used. */
  readonly exclusion: LinkExclusion;
  readonly metrics: Layer2Metrics;
  readonly logger: Logger;
  /** Names of the cluster's nodes, as far as they are known. */
  readonly nodes: () => readonly string[];
  /** Whether a node is being left: nothing is moved to it without need. */
  readonly isDraining: (node: string) => boolean;
  /** The speakers that live, sorted, whenever there are others. */
  readonly onSpeakers: (names: readonly string[]) => void;
  /** The BFD sessions that FRR should keep, whenever there are others. */
  readonly onSessions: (sessions: readonly SpeakerSession[]) => void;
  /** Something that people should hear of, about a Service. */
  readonly onEvent: (service: string, event: Layer2Event) => void;
}

export interface Layer2Event {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'nodeAssigned' | 'announceFailed' | 'addressConflict';
  readonly message: string;
}

export interface Layer2 {
  /** What the configuration wants announced. */
  readonly want: (services: readonly Layer2Service[]) => void;
  readonly links: (links: readonly Link[]) => void;
  readonly observed: (state: ObservedState) => void;
  /** What this node answers for now. */
  readonly owned: () => readonly Layer2Group[];
  /** Whether the node is cordoned and should be left. */
  readonly drain: (isDraining: boolean) => void;
  /** Hands everything over and ends. */
  readonly stop: () => Promise<void>;
}
