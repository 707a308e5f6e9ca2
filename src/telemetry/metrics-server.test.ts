import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { eventually, freePort } from '../../test/support/index.ts';
import { serveMetrics } from './metrics-server.ts';
import { registerSamples, type Sample } from './sampled-metrics.ts';

const PEER_UP = { name: 'metallb_bgp_session_up', type: 'gauge', help: 'Established or not.' } as const;

test('serves what there is at the time of each scrape, until the end', async () => {
  const registry = new Registry();
  let samples: Sample[] = [{ ...PEER_UP, labels: { peer: '192.0.2.1:179', vrf: 'default' }, value: 1 }];
  registerSamples(registry, [PEER_UP], () => Promise.resolve(samples));
  const port = await freePort();
  const end = new AbortController();
  await serveMetrics({ registry, port, signal: end.signal });
  const url = `http://127.0.0.1:${port}`;
  const scrape = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();

  expect(await scrape()).toContain('metallb_bgp_session_up{peer="192.0.2.1:179",vrf="default"} 1');
  samples = [];
  expect(await scrape()).not.toContain('192.0.2.1');
  expect((await fetch(`${url}/other`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
  await expect(serveMetrics({ registry, port, signal: end.signal })).rejects.toThrow('EADDRINUSE');
  end.abort();
  await eventually(async () => {
    await expect(fetch(url)).rejects.toThrow();
  });
});
