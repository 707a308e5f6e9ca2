import type { ServiceVerdict } from '../reconciler/index.ts';
import { renderYaml, writeStatusFile } from '../source/index.ts';
import { speakerState, sessionStates, type PublishReport, type SpeakerReport } from './status-report.ts';

/** Reports as two files of the status folder: what the speaker says of itself and its sessions, and of the Services. */
export function folderReports(statusFolder: string): PublishReport {
  const written = new Map<string, string>();
  const put = (name: string, text: string): void => {
    if (written.get(name) === text) return;
    writeStatusFile(statusFolder, name, text);
    written.set(name, text);
  };
  return (report) => {
    put(`speaker-${report.node}.yaml`, renderYaml([speakerState(report), ...sessionStates(report)]));
    put(`announced-${report.node}.yaml`, announcedText(report));
  };
}

/**
 * A ServiceBGPStatus for each Service: the peers that it is announced to, or the reason why it is not. One line each,
 * in flow style: there may be ten thousand, and nobody edits them.
 */
export function announcedText({ node, desired }: SpeakerReport): string {
  const items = desired.services.map(
    (verdict) => `- status: ${JSON.stringify(serviceStatus(node, verdict))}\n`,
  );
  const head = 'apiVersion: metallb.io/v1beta1\nkind: ServiceBGPStatusList\n';
  return `${head}${items.length === 0 ? 'items: []\n' : `items:\n${items.join('')}`}`;
}

/** What names the object in a cluster (labels, a generated name) is left out here: the status says it all. */
function serviceStatus(node: string, verdict: ServiceVerdict): object {
  return {
    node,
    serviceNamespace: verdict.namespace,
    serviceName: verdict.name,
    peers: verdict.bgp.kind === 'announce' ? verdict.bgp.peers : [],
    ...(verdict.bgp.kind === 'withdraw' ? { reason: verdict.bgp.reason } : {}),
  };
}
