import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseManifest } from '../api/index.ts';
import { compileFrrConf } from '../frr-render/index.ts';
import { renderNode, snapshotOf } from './index.ts';

const NAMESPACE = 'metallb-system';
const template = compileFrrConf(
  readFileSync(new URL('../../templates/frr.conf.hbs', import.meta.url), 'utf8'),
);

/** Every line that we write, whole. What is not here is somebody else's command. */
const NAME = '[A-Za-z0-9._@+:-]+';
const ADDRESS = '[0-9a-f.:]+';
const FORMS: readonly RegExp[] = [
  /^$|^ ?!$/,
  /^! Written by metallb-frr from the cluster's objects; edits made here are overwritten\.$/,
  /^frr defaults traditional$/,
  /^hostname n1$/,
  /^log stdout informational$/,
  /^log timestamp precision 3$/,
  /^ip(?:v6)? nht resolve-via-default$/,
  /^bgp route-map delay-timer 1$/,
  /^service integrated-vtysh-config$/,
  new RegExp(
    `^route-map (?:advertise-[0-9a-f]{8} permit 10|${NAME}-in deny 20|${NAME}-out (?:permit|deny) \\d+)$`,
  ),
  /^ (?:set|match) tag \d+$/,
  /^ set community \d+:\d+(?: \d+:\d+)* additive$/,
  /^ set large-community \d+:\d+:\d+(?: \d+:\d+:\d+)* additive$/,
  /^ set local-preference \d+$/,
  /^ ?exit$/,
  /^bfd$/,
  /^ profile [a-z0-9.-]+$/,
  /^ {2}(?:detect-multiplier|(?:echo )?(?:receive|transmit)-interval|minimum-ttl) \d+$/,
  /^ {2}(?:echo|passive)-mode$/,
  // The one ASN there is: a router of another is smuggled in.
  new RegExp(`^router bgp 64496(?: vrf ${NAME})?$`),
  /^ no bgp (?:ebgp-requires-policy|network import-check|default ipv4-unicast)$/,
  /^ bgp (?:graceful-restart preserve-fw-state|log-neighbor-changes|router-id [0-9.]+)$/,
  /^ coalesce-time 100$/,
  new RegExp(`^ neighbor ${NAME} (?:interface )?remote-as (?:\\d+|internal|external)$`),
  new RegExp(
    `^ neighbor ${NAME} (?:ebgp-multihop|graceful-restart|disable-connected-check|bfd|bfd profile [a-z0-9.-]+|port \\d+|timers \\d+ \\d+|timers connect \\d+|local-as \\d+ no-prepend replace-as|update-source ${ADDRESS})$`,
  ),
  // A password is one word, whatever is in it.
  new RegExp(`^ neighbor ${NAME} password [^\\p{C}\\p{Z}]+$`, 'u'),
  /^ address-family ipv[46] unicast$/,
  /^ exit-address-family$/,
  new RegExp(`^ {2}network ${ADDRESS}/\\d+ route-map advertise-[0-9a-f]{8}$`),
  new RegExp(`^ {2}neighbor ${NAME} (?:activate|route-map ${NAME}-(?:in in|out out))$`),
];

/** Lines that are none of ours, or that somebody else might take for two. */
function strangeLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /[\p{Cc}\u2028\u2029]/u.test(line) || !FORMS.some((form) => form.test(line)));
}

/** A good text, or one with something in it that must not get through as a line. */
function hostile(...good: readonly string[]): fc.Arbitrary<string> {
  const evil = fc.constantFrom(
    ...[
      '\n',
      '\r\n',
      '\r',
      '\v',
      '\f',
      '\u0085',
      '\u2028',
      '\0',
      '\t',
      ' ',
      '!',
      '"',
      "'",
      '\\',
      '#',
      '?',
      '|',
      '\u001b[0m',
    ],
    ...['\nrouter bgp 1\n', '\n!\nno router bgp 64496\n', '{{extras}}', '${x}', '\u202e', 'x'.repeat(5_000)],
  );
  const base = fc.constantFrom(...good);
  const spoilt = fc
    .tuple(base, evil, fc.nat(20))
    .map(([text, part, at]) => text.slice(0, at) + part + text.slice(at));
  return fc.oneof({ weight: 6, arbitrary: base }, { weight: 1, arbitrary: spoilt });
}

function field<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 2 });
}

const number = (...values: readonly number[]): fc.Arbitrary<number> => fc.constantFrom(...values);

function object(
  kind: string,
  name: fc.Arbitrary<string>,
  spec: fc.Arbitrary<object>,
  apiVersion: string,
): fc.Arbitrary<unknown> {
  return fc.record({ name, spec }).map((item) => ({
    apiVersion,
    kind,
    metadata: { name: item.name, namespace: NAMESPACE },
    spec: defined(item.spec),
  }));
}

/** As YAML gives it: a field that is not there is not there. */
function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

const V1BETA1 = 'metallb.io/v1beta1';
const PROFILES = ['fast', 'slow'];
const PEERS = ['tor', 'spine', 'leaf'];

const peerOf = (index: number): fc.Arbitrary<unknown> =>
  object(
    'BGPPeer',
    hostile(PEERS[index] ?? 'peer'),
    fc
      .record({
        at: fc.oneof(
          fc.record({ peerAddress: hostile(`192.0.2.${index + 1}`, `2001:db8::${index + 1}`) }),
          fc.record({ interface: hostile(`eth${index}`, `eth${index}.100`) }),
        ),
        as: fc.oneof(
          fc.record({ peerASN: number(64497, 64496, 4_200_000_000) }),
          fc.record({ dynamicASN: hostile('internal', 'external') }),
        ),
        myASN: number(64496),
        localASN: field(number(64500)),
        sourceAddress: field(hostile('192.0.2.11')),
        routerID: field(hostile('192.0.2.11')),
        peerPort: field(number(179, 1790)),
        holdTime: field(hostile('9s', '90s', '0s')),
        keepaliveTime: field(hostile('3s')),
        connectTime: field(hostile('10s')),
        password: field(hostile('s3cr3t', 'a?b|c!d#e"f', 'pässwörd')),
        bfdProfile: field(hostile(...PROFILES)),
        vrf: field(hostile('red', 'blue')),
        enableGracefulRestart: field(fc.boolean()),
        ebgpMultiHop: field(fc.boolean()),
        dualStackAddressFamily: field(fc.boolean()),
      })
      .map(({ at, as, ...rest }) => ({ ...at, ...as, ...rest })),
    'metallb.io/v1beta2',
  );

const profileOf = (name: string): fc.Arbitrary<unknown> =>
  object(
    'BFDProfile',
    hostile(name),
    fc.record({
      receiveInterval: field(number(10, 300, 60_000)),
      transmitInterval: field(number(50)),
      detectMultiplier: field(number(2, 255)),
      echoInterval: field(number(50)),
      echoMode: field(fc.boolean()),
      passiveMode: field(fc.boolean()),
      minimumTtl: field(number(1, 254)),
    }),
    V1BETA1,
  );

const advertisementOf = (name: string): fc.Arbitrary<unknown> =>
  object(
    'BGPAdvertisement',
    hostile(name),
    fc.record({
      communities: field(
        fc.uniqueArray(hostile('64496:1', 'large:64496:1:2', '65535:65281', 'named'), { maxLength: 3 }),
      ),
      peers: field(fc.uniqueArray(hostile(...PEERS), { maxLength: 2 })),
      localPref: field(number(100)),
      aggregationLength: field(number(24, 32)),
    }),
    V1BETA1,
  );

const manifests = fc.tuple(
  object(
    'IPAddressPool',
    hostile('pool'),
    fc.record({
      addresses: fc.tuple(
        hostile('198.51.100.0/24', '198.51.100.1-198.51.100.9'),
        hostile('2001:db8:1::/64'),
      ),
    }),
    V1BETA1,
  ),
  object(
    'Community',
    hostile('names'),
    fc.record({ communities: fc.tuple(fc.record({ name: hostile('named'), value: hostile('64496:77') })) }),
    V1BETA1,
  ),
  ...[0, 1, 2].map(peerOf),
  ...PROFILES.map(profileOf),
  ...['a', 'b'].map(advertisementOf),
);

const services = ['198.51.100.1', '2001:db8:1::1'].map((ip, index) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `web${index}`, namespace: 'default' },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  status: { loadBalancer: { ingress: [{ ip }] } },
}));

function frrConfOf(documents: readonly unknown[]): string {
  const objects = documents.flatMap((raw) => parseManifest(raw, { defaultNamespace: NAMESPACE }).objects);
  return renderNode(snapshotOf(objects, { namespace: NAMESPACE }), {
    nodeName: 'n1',
    template,
    endpoints: 'assumed',
  }).frrConf;
}

test('whatever the manifests hold, frr.conf holds nothing but our statements', () => {
  const seen = new Set<number>();
  let hostileKept = 0;
  fc.assert(
    fc.property(manifests, (documents) => {
      const text = frrConfOf([...documents, ...services]);
      expect(strangeLines(text)).toEqual([]);
      for (const line of text.split('\n')) seen.add(FORMS.findIndex((form) => form.test(line)));
      if (/password .*[!?|#"]/.test(text)) hostileKept += 1;
    }),
    { numRuns: 1_000 },
  );
  // The property says something: every form came up, and so did signs that are only dangerous elsewhere.
  expect(FORMS.map((_, index) => index).filter((index) => !seen.has(index))).toEqual([]);
  expect(hostileKept).toBeGreaterThan(0);
});

test.each([
  ' neighbor 192.0.2.1 password a b',
  ' neighbor 192.0.2.1 frobnicate',
  'no router bgp 64496',
  ' neighbor 192.0.2.1 remote-as 64497 x',
  'hostname other',
  'router bgp 1',
  ' neighbor 192.0.2.1 password a\u2028router bgp 1',
  ' neighbor 192.0.2.1 password a\rrouter bgp 1',
])('a strange line is noticed: %j', (line) => {
  expect(strangeLines(`router bgp 64496\n${line}\nexit\n`)).not.toEqual([]);
});
