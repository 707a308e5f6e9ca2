import { spawn } from 'node:child_process';
import { inNode, requireNode, runInNode, type LabState } from '../../src/lab/index.ts';
import { NODES } from './rig.ts';

/** keepalived's addresses, by the interval of its advertisements in seconds. */
export const KEEPALIVED = [
  { advertInt: 1, ip: '192.0.2.101', routerId: 51 },
  { advertInt: 0.1, ip: '192.0.2.102', routerId: 52 },
] as const;

const FOLDER = '/run/keepalived';

/**
 * Starts keepalived on each node, VRRP version 3 (RFC 5798), which alone has intervals below a second, without
 * preemption as our own default. It is started again when it ends, as the speaker is, and ends with the lab.
 */
export async function startKeepalived(state: LabState): Promise<void> {
  for (const [index, name] of NODES.entries()) {
    const node = requireNode(state, name);
    const write = await runInNode(
      node,
      ['sh', '-c', `mkdir -p ${FOLDER} && cat >${FOLDER}/keepalived.conf`],
      { input: configFor(100 + index * 10) },
    );
    if (write.failed) throw new Error(`${name}: keepalived.conf: ${write.stderr}`);
    const program = `keepalived -n -l -P -f ${FOLDER}/keepalived.conf -p ${FOLDER}/pid -r ${FOLDER}/vrrp.pid`;
    const keep = `while :; do ${program} >>/var/log/keepalived.log 2>&1; sleep 1; done`;
    const [file, ...args] = [...(await inNode(node)), 'sh', '-c', keep];
    spawn(file, args, { stdio: 'ignore', detached: true }).unref();
  }
}

function configFor(priority: number): string {
  const instances = KEEPALIVED.map(({ advertInt, ip, routerId }) =>
    [
      `vrrp_instance v${routerId} {`,
      '  state BACKUP',
      '  nopreempt',
      '  interface eth1',
      `  virtual_router_id ${routerId}`,
      `  priority ${priority}`,
      `  advert_int ${advertInt}`,
      `  virtual_ipaddress { ${ip}/32 dev eth1 }`,
      '}',
      '',
    ].join('\n'),
  );
  return ['global_defs {', '  vrrp_version 3', '  vrrp_garp_master_delay 1', '}', '', ...instances].join(
    '\n',
  );
}
