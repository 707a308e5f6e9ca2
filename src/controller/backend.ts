import type { AllocationEvent } from '../allocator/index.ts';
import type { ClusterSource, ServiceStatus } from '../source/index.ts';
import type { ControllerReport } from './report.ts';

interface Ref {
  readonly namespace: string;
  readonly name: string;
}

/** The statuses of Services as their only writer has decided them. */
export interface DecidedStatuses {
  readonly get: (service: Ref) => ServiceStatus | undefined;
  readonly all: () => readonly ServiceStatus[];
  readonly set: (status: ServiceStatus) => void;
  /** Nothing is to stand in the status of this Service. */
  readonly clear: (service: Ref) => void;
  /** The Service is gone or somebody else's: its status is not ours to write. */
  readonly forget: (service: Ref) => void;
}

/** Where a controller finds its objects and leaves what it decided: a folder of manifests, or the API server. */
export interface ControllerBackend {
  readonly source: ClusterSource;
  readonly statuses: DecidedStatuses;
  /** What a Service without cluster IPs means here. */
  readonly missingClusterIPs: 'wait' | 'fromSpec';
  /** Brings the statuses that were set to where the Services are, at once, and again while that fails. */
  readonly flush: () => void;
  /** What the controller says of itself and of the pools has changed. */
  readonly reportChanged: () => void;
  /** Something happened to a Service (`namespace/name`) that its owner should hear of. */
  readonly record: (service: string, event: AllocationEvent) => void;
  /** Settles when everything is written or given up, after the signal was aborted. */
  readonly close: () => Promise<void>;
}

/** What a backend needs to know of the controller that it serves. */
export interface BackendHooks {
  readonly signal: AbortSignal;
  readonly report: () => ControllerReport;
  /** A status could not be written; it will be tried again. */
  readonly onFailure: () => void;
}

export type OpenBackend = (hooks: BackendHooks) => ControllerBackend;
