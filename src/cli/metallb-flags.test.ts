import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { atEnd, eventually, tempDir } from '../../test/support/index.ts';

const BINARY = resolve(import.meta.dirname, '../../bin/metallb-frr');
const TIMEOUT_MS = 30_000;

const folder = await tempDir();
writeFileSync(
  join(folder, 'pool.yaml'),
  'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\n',
);
mkdirSync(join(folder, 'sockets'));

/** Of a folder instead of a cluster, and quiet. */
const HERE = ['--source', `dir:${folder}`];
const AT_FRR = ['--frr-sockets', join(folder, 'sockets'), '--frr-config', join(folder, 'frr.conf')];

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, null> {
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const child = spawn(BINARY, args, { env: { PATH: path, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => Promise.resolve(void child.kill('SIGKILL')));
  return child;
}

/** Starts a command until it says that it started; gives what it said to be without effect. */
async function idle(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string[]> {
  const child = start(args, env);
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, flag, variable } = JSON.parse(line) as Record<string, string>;
    if (msg?.endsWith('started') === true) break;
    if (msg?.endsWith('without effect') === true) said.push(flag ?? variable ?? '');
  }
  child.kill('SIGKILL');
  await once(child, 'close');
  return said.sort();
}

/** What both of MetalLB 0.16 take and have a meaning here. */
const WORKING = [
  ...[
    '--port=0',
    '--health-probe-port=0',
    '--namespace=metallb-system',
    '--pod-name=own-pod',
    '--log-level=info',
  ],
  ...[
    '--lb-class=',
    '--tls-min-version=VersionTLS12',
    '--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  ],
  ...['--tls-curve-preferences=29,23', '--metrics-cert-dir='],
];
const CONTROLLER_FLAGS = {
  '--pprof-bind-address': '',
  '--ml-secret-name': 'metallb-memberlist',
  '--deployment': 'metallb-controller',
  '--webhook-mode': 'enabled',
  '--webhook-secret': 'metallb-webhook-cert',
  '--cert-service-name': 'metallb-webhook-service',
  '--cert-dir': '/tmp/k8s-webhook-server/serving-certs',
  '--disable-cert-rotation': 'true',
  '--webhook-http2': 'false',
};
const SPEAKER_FLAGS = {
  '--pprof-bind-address': '127.0.0.1:6060',
  '--host': '192.0.2.11',
  '--ml-bindaddr': '192.0.2.11',
  '--ml-bindport': '7946',
  '--ml-labels': 'app=metallb,component=speaker',
  '--ml-secret-key-path': '/etc/ml_secret_key',
  '--ml-wan-config': 'true',
  '--bgp-debounce-timeout': '3000',
  '--frrk8s-namespace': 'frr-k8s-system',
  '--frrk8s-secret-passthrough': 'true',
};
const CONTROLLER_VARIABLES = {
  METALLB_ML_SECRET_NAME: 'metallb-memberlist',
  METALLB_DEPLOYMENT: 'controller',
};
const SPEAKER_VARIABLES = {
  METALLB_HOST: '192.0.2.11',
  METALLB_ML_BIND_ADDR: '192.0.2.11',
  METALLB_ML_BIND_PORT: '7946',
  METALLB_ML_LABELS: 'app=metallb,component=speaker',
  METALLB_ML_SECRET_KEY_PATH: '/etc/ml_secret_key',
  METALLB_BGP_DEBOUNCE_TIMEOUT: '3000',
  FRRK8S_NAMESPACE: 'frr-k8s-system',
};
/** Without a flag, and those that have a meaning here. */
const MORE = {
  METALLB_BGP_TYPE: 'frr-k8s',
  METALLB_NAMESPACE: 'metallb-system',
  METALLB_POD_NAME: 'own-pod',
};
const MORE_OF_SPEAKER = {
  FRR_CONFIG_FILE: '/etc/frr_reloader/frr.conf',
  FRR_RELOADER_PID_FILE: '/etc/frr_reloader/reloader.pid',
  FRR_LOGGING_LEVEL: 'error',
  METALLB_NODE_NAME: 'n1',
};
const words = (flags: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(flags).map(([flag, value]) => `${flag}=${value}`);

test.concurrent.each<{
  name: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  want: readonly string[];
}>([
  {
    name: "the controller's flags, beside their variables",
    args: ['controller', ...HERE, ...WORKING, ...words(CONTROLLER_FLAGS)],
    env: { ...CONTROLLER_VARIABLES, ...MORE, METALLB_BGP_TYPE: 'frr' },
    want: Object.keys(CONTROLLER_FLAGS),
  },
  {
    name: "the controller's variables",
    args: ['controller', ...HERE],
    env: { ...CONTROLLER_VARIABLES, ...MORE },
    want: [...Object.keys(CONTROLLER_VARIABLES), 'METALLB_BGP_TYPE'],
  },
  {
    name: "the speaker's flags, beside their variables",
    args: [
      'speaker',
      ...HERE,
      ...AT_FRR,
      '--node-name=n1',
      '--ignore-exclude-lb=false',
      ...WORKING,
      ...words(SPEAKER_FLAGS),
    ],
    env: { ...SPEAKER_VARIABLES, METALLB_BGP_TYPE: 'frr' },
    want: Object.keys(SPEAKER_FLAGS),
  },
  {
    name: "the speaker's variables",
    args: ['speaker', ...HERE, ...AT_FRR],
    env: { ...SPEAKER_VARIABLES, ...MORE, ...MORE_OF_SPEAKER },
    want: [...Object.keys(SPEAKER_VARIABLES), 'METALLB_BGP_TYPE', 'FRR_CONFIG_FILE', 'FRR_RELOADER_PID_FILE'],
  },
  {
    name: 'variables that are empty',
    args: ['speaker', ...HERE, ...AT_FRR],
    env: {
      ...MORE_OF_SPEAKER,
      FRR_CONFIG_FILE: '',
      FRR_RELOADER_PID_FILE: '',
      FRR_LOGGING_LEVEL: '',
      METALLB_BGP_DEBOUNCE_TIMEOUT: '',
    },
    want: [],
  },
])(
  '$name: each that means nothing here is said once',
  { timeout: TIMEOUT_MS },
  async ({ args, env, want }) => {
    expect(await idle(args, env)).toEqual([...want].sort());
  },
);

test("FRR's own log level is what its variable says, in FRR's words", { timeout: TIMEOUT_MS }, async () => {
  const conf = join(folder, 'level', 'frr.conf');
  mkdirSync(join(folder, 'level'));
  start(['speaker', ...HERE, ...AT_FRR, `--frr-config=${conf}`], {
    METALLB_NODE_NAME: 'n1',
    FRR_LOGGING_LEVEL: 'error',
  });
  await eventually(
    () => {
      expect(readFileSync(conf, 'utf8')).toContain('\nlog stdout errors\n');
    },
    { timeoutMs: TIMEOUT_MS },
  );
});
