import { expect, test } from 'vitest';
import type { TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { answeringFor } from './lan-view.ts';

const SOON = { timeoutMs: 60_000, intervalMs: 100 };
/** Of the pool of the test that these belong to; the first of it is taken. */
const LOCAL = '198.51.100.205';
const SHARED = '198.51.100.206';
const MIXED = '198.51.100.207';
const FETCHES = 12;

interface ServiceOptions {
  readonly name: string;
  readonly ip: string;
  readonly ports: string;
  readonly policy?: 'Cluster' | 'Local';
  readonly sharingKey?: string;
}

function serviceText({ name, ip, ports, policy = 'Cluster', sharingKey }: ServiceOptions): string {
  const sharing = sharingKey === undefined ? '' : `, metallb.io/allow-shared-ip: ${sharingKey}`;
  return `
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  annotations: { metallb.io/loadBalancerIPs: ${ip}${sharing} }
spec: { type: LoadBalancer, externalTrafficPolicy: ${policy}, selector: { app: web }, ports: ${ports} }
`;
}

/** Asks once over UDP, from the client. */
const ASK_UDP = `
const socket = require('dgram').createSocket('udp4');
socket.on('message', (answer) => { process.stdout.write(answer.toString()); socket.close(); });
setTimeout(() => process.exit(1), 2000).unref();
socket.send('?', Number(process.argv[2]), process.argv[1]);
`;

/** What Services of several kinds see of their one owner, through kube-proxy. The cluster has the pods of `WEB`. */
export function servicesHaveOneOwner(lab: () => TestCluster): void {
  const whileThere = async (
    services: readonly ServiceOptions[],
    action: () => Promise<void>,
  ): Promise<void> => {
    await lab().kubectl(['apply', '-f', '-'], services.map(serviceText).join('---'));
    try {
      await action();
    } finally {
      await lab().kubectl(['delete', 'service', ...services.map(({ name }) => name)]);
    }
  };
  const fetch = (url: string): Promise<string> => lab().inHost('cl', ['curl', '-sS', '--max-time', '2', url]);
  const ownerOf = (address: string): Promise<string> =>
    eventually(async () => {
      const node = await answeringFor(lab(), address);
      expect(node).not.toBe('');
      return node;
    }, SOON);

  test('externalTrafficPolicy Local: only pods of the node that answers for the address', async () => {
    const service = { name: 'local', ip: LOCAL, ports: '[{ port: 80, targetPort: 8080 }]' };
    await whileThere([{ ...service, policy: 'Local' }], async () => {
      const owner = await ownerOf(LOCAL);
      await eventually(async () => {
        expect(await fetch(`http://${LOCAL}/`)).toBe(owner);
      }, SOON);
      for (let count = 0; count < FETCHES; count += 1) expect(await fetch(`http://${LOCAL}/`)).toBe(owner);
    });
  });

  test('two Services with one address: one owner, and the Events of both name it', async () => {
    const services = [81, 82].map((port) => ({
      ...{ name: `shared-${String(port)}`, ip: SHARED, sharingKey: 'one' },
      ports: `[{ port: ${String(port)}, targetPort: 8080 }]`,
    }));
    await whileThere(services, async () => {
      const owner = await ownerOf(SHARED);
      for (const { name } of services) {
        await eventually(async () => {
          const only = ['--field-selector', `reason=nodeAssigned,involvedObject.name=${name}`];
          const messages = await lab().kubectl([
            'get',
            'events',
            ...only,
            '-o',
            'jsonpath={.items[*].message}',
          ]);
          expect(messages).toBe(`announcing from node "${owner}" with protocol "layer2"`);
        }, SOON);
      }
      for (const port of [81, 82]) {
        await eventually(async () => {
          expect(await fetch(`http://${SHARED}:${String(port)}/`)).toMatch(/^n[123]$/);
        }, SOON);
      }
    });
  });

  test('UDP beside TCP on one address', async () => {
    const tcp = '{ name: tcp, protocol: TCP, port: 80, targetPort: 8080 }';
    const udp = '{ name: udp, protocol: UDP, port: 53, targetPort: 8080 }';
    await whileThere([{ name: 'mixed', ip: MIXED, ports: `[${tcp}, ${udp}]` }], async () => {
      await ownerOf(MIXED);
      await eventually(async () => {
        expect(await fetch(`http://${MIXED}/`)).toMatch(/^n[123]$/);
        const answer = await lab().inHost('cl', [process.execPath, '-e', ASK_UDP, MIXED, '53']);
        expect(answer).toMatch(/^n[123]$/);
      }, SOON);
    });
  });
}
