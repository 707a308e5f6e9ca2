import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { describeWithNetns, eventually } from '../support/index.ts';
import { serviceText } from './manifests.ts';
import { startLab, type TestLab } from './support.ts';

const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };

const ribSchema = z.record(
  z.string(),
  z.array(z.object({ attrs: z.array(z.looseObject({ type: z.number() })) })),
);
/** Path attribute types of RFC 4271 section 5.1. */
const AS_PATH = 2;
const NEXT_HOP = 3;

/** `gobgp global rib -j`: prefix -> the attributes of its paths, sorted. */
async function rib(lab: TestLab): Promise<Record<string, { nextHop: unknown; asns: unknown }[]>> {
  const text = await lab.run('router', ['gobgp', 'global', 'rib', '-j']);
  // Without a route it answers in words.
  const parsed = text.trim().startsWith('{') ? ribSchema.parse(JSON.parse(text)) : {};
  return Object.fromEntries(
    Object.entries(parsed).map(([prefix, paths]) => [
      prefix,
      paths
        .map(({ attrs }) => {
          const attribute = (type: number): Record<string, unknown> =>
            attrs.find((each) => each.type === type) ?? {};
          return { nextHop: attribute(NEXT_HOP).nexthop, asns: attribute(AS_PATH).as_paths };
        })
        .sort((a, b) => String(a.nextHop).localeCompare(String(b.nextHop))),
    ]),
  );
}

describeWithNetns('d-gobgp: GoBGP as the router', () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await startLab('d-gobgp');
  });

  const asns = [{ segment_type: 2, num: 1, asns: [64500] }];
  const both = [
    { nextHop: '192.0.2.1', asns },
    { nextHop: '192.0.2.3', asns },
  ];

  test('the address is in its table with a path from each node', async () => {
    await eventually(async () => {
      expect(await rib(lab)).toEqual({ '198.51.100.1/32': both });
    }, CONVERGE);
  });

  test('Services come and go', async () => {
    await lab.write('shop.yaml', serviceText({ name: 'shop', nodes: ['n1'] }));
    await eventually(async () => {
      expect(await rib(lab)).toEqual({ '198.51.100.1/32': both, '198.51.100.2/32': both });
    });
    await lab.remove('shop.yaml');
    await lab.remove('web.yaml');
    await eventually(async () => {
      expect(await rib(lab)).toEqual({});
    });
  });
});
