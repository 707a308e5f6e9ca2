import { styleText } from 'node:util';
import type { LabStatus, NodeStatus } from '../lab/index.ts';
import { formatTable, severityWord } from './output.ts';

const SESSION_COLUMNS = ['node', 'peer', 'ASN', 'state', 'up', 'received', 'sent'];

/** A lab as text for people. */
export function statusText(lab: LabStatus): string {
  const phase = {
    running: 'running',
    starting: 'starting',
    unfinished: styleText('red', 'unfinished: its start was killed; only `lab down` helps'),
  }[lab.phase];
  const nodes = lab.nodes.map((node) => [node.name, node.netns, stateText(node), processesText(node)]);
  const sessions: string[][] = [];
  for (const node of lab.nodes) {
    if (node.sessionsError !== undefined) sessions.push([node.name, styleText('red', node.sessionsError)]);
    for (const session of node.sessions) {
      const good = session.state === 'Established';
      const upFor = session.uptimeSeconds === undefined ? '' : `${String(session.uptimeSeconds)} s`;
      const shown = good ? session.state : styleText('yellow', session.state);
      const numbers = [session.received, session.sent].map(String);
      sessions.push([node.name, session.peer, String(session.remoteAsn), shown, upFor, ...numbers]);
    }
  }
  return [
    `${styleText('bold', lab.name)}  ${phase}  ${lab.file}`,
    formatTable(['node', 'namespace', 'state', 'processes'], nodes),
    ...(sessions.length > 0 ? ['', formatTable(SESSION_COLUMNS, sessions)] : []),
    ...(lab.cut.length > 0 ? ['', `${styleText('yellow', 'cut links')}: ${lab.cut.join(', ')}`] : []),
    ...lab.folders.map(({ copy }) => `manifests and other shared files: ${copy}`),
    '',
  ].join('\n');
}

function stateText(node: NodeStatus): string {
  return node.state === 'running' ? styleText('green', node.state) : styleText('red', node.state);
}

function processesText({ processes, missing, log }: NodeStatus): string {
  const gone =
    missing.length === 0 ? [] : [styleText('red', `missing: ${missing.join(', ')}`), `log: ${log}`];
  return [processes.join(', '), ...gone].filter((text) => text !== '').join('\n');
}

/** One line for standard error. */
export function errorLine(message: string): string {
  return `${severityWord('error')}: ${message}\n`;
}
