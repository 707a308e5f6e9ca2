import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { atEnd, eventually, tempDir } from '../../test/support/index.ts';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '../..');
const BINARY = join(ROOT, 'bin', 'metallb-frr');
const EXAMPLES = join(ROOT, 'examples', 'custom-resources');
/** Starting Node with the sources takes a second on a busy machine. */
const TIMEOUT_MS = 30_000;

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the real binary, with the Node that runs the tests first on PATH. */
async function run(
  args: readonly string[],
  options: {
    readonly stdin?: string;
    readonly binary?: string;
    readonly path?: string;
    readonly env?: NodeJS.ProcessEnv;
  } = {},
): Promise<Outcome> {
  const path = options.path ?? [dirname(process.execPath), process.env.PATH].join(delimiter);
  return new Promise((done) => {
    const env = { ...process.env, PATH: path, METALLB_NAMESPACE: undefined, ...options.env };
    const child = execFile(
      options.binary ?? BINARY,
      args,
      { env, timeout: TIMEOUT_MS },
      (_error, out, err) => {
        done({ code: child.exitCode, out, err });
      },
    );
    child.stdin?.end(options.stdin ?? '');
  });
}

const folder = await tempDir();

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const POOL =
  'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p, namespace: metallb-system}\nspec: {addresses: [192.0.2.0/24]}\n';
const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n';
const good = file('good.yaml', `${POOL}---\n${SERVICE}`);
const wrong = file(
  'wrong.yaml',
  `${POOL}---\n${SERVICE}---\n${POOL.replace('name: p', 'name: q').replace('0/24', '0/99')}`,
);
const broken = file('broken.yaml', `${POOL}---\na: [\n`);

describe.concurrent('exit status', { timeout: TIMEOUT_MS }, () => {
  test.each<{ name: string; args: string[]; stdin?: string; code: number; out?: RegExp; err?: RegExp }>([
    { name: 'version', args: ['--version'], code: 0, out: new RegExp(`^${packageJson.version}\n$`) },
    { name: 'help', args: ['validate', '--help'], code: 0, out: /^Usage: metallb-frr validate/ },
    { name: 'no command', args: [], code: 2, err: /Usage: metallb-frr/ },
    { name: 'an unknown command', args: ['valid'], code: 2, err: /unknown command 'valid'/ },
    {
      name: 'an unknown option',
      args: ['validate', '-f', good, '--strict'],
      code: 2,
      err: /unknown option '--strict'/,
    },
    { name: 'a missing option', args: ['render', '-f', good], code: 2, err: /--node <name>/ },
    {
      name: 'one argument too many',
      args: ['validate', '-f', good, '-o', 'json', 'x'],
      code: 2,
      err: /too many arguments/,
    },
    {
      name: 'a form that is none',
      args: ['validate', '-f', good, '-o', 'xml'],
      code: 2,
      err: /Allowed choices are table, json, yaml/,
    },
    {
      name: 'a source that is none',
      args: ['controller', '--source', good],
      code: 2,
      err: /must be dir:PATH/,
    },
    {
      name: 'a source that is not there',
      args: ['speaker', '--source', 'dir:/nowhere', '--node-name', 'n'],
      code: 2,
      err: /no such file or folder/,
    },
    {
      name: 'a bad port',
      args: ['controller', '--source', `dir:${good}`, '--metrics-port', '99999'],
      code: 2,
      err: /0 to 65535/,
    },
    {
      name: 'converting',
      args: ['convert', '-f', join(EXAMPLES, '../configmap')],
      code: 0,
      out: /^---\napiVersion: metallb\.io\/v1beta2\nkind: BGPPeer\nmetadata:\n {2}name: peer1\n[^]*kind: IPAddressPool/,
    },
    {
      name: 'converting what is wrong',
      args: ['convert', '-f', wrong],
      code: 1,
      out: /kind: IPAddressPool/,
      err: /^error: IPAddressPool metallb-system\/q/,
    },
    {
      name: 'converting no MetalLB object',
      args: ['convert', '--chart-values', '-f', good],
      code: 1,
      err: /^error: .* must hold one object of kind MetalLB/,
    },
    {
      name: 'no cluster',
      args: ['controller', '--health-probe-port', '0'],
      code: 1,
      err: /^error: no cluster: .*--source dir:PATH\n$/,
    },
    {
      name: "MetalLB's flag with a value that it refuses",
      args: ['speaker', '--node-name', 'n', '--bgp-debounce-timeout', '0'],
      code: 2,
      err: /positive number/,
    },
    {
      name: 'a level of FRR that could be two',
      args: ['speaker', '--node-name', 'n', '--frr-log-level', 'e'],
      code: 2,
      err: /must be one of emergencies, alerts/,
    },
    {
      name: "MetalLB's webhook alone",
      args: ['controller', '--webhook-mode=onlywebhook'],
      code: 2,
      err: /no webhook that could run alone/,
    },
    {
      name: 'TLS settings that contradict each other',
      args: ['controller', '--source', `dir:${good}`, '--tls-cipher-suites', 'ECDHE-RSA-AES128-GCM-SHA256'],
      code: 1,
      err: /^error: --tls-cipher-suites: .*VersionTLS12/,
    },
    {
      name: 'a TLS group that is none',
      args: ['controller', '--tls-curve-preferences', '29,7'],
      code: 2,
      err: /7: must be one of 23, 24/,
    },
    {
      name: 'good manifests',
      args: ['validate', '-f', good],
      code: 0,
      out: /web +192\.0\.2\.0[^]*\nvalid\n$/,
    },
    { name: 'the examples', args: ['validate', '-f', EXAMPLES], code: 0, out: /\nvalid\n$/ },
    {
      name: 'wrong manifests',
      args: ['validate', '-f', wrong],
      code: 1,
      err: /^error: IPAddressPool metallb-system\/q: spec\.addresses\[0\]: .*wrong\.yaml:14:\d+\)\n$/,
    },
    {
      name: 'broken YAML',
      args: ['validate', '-f', broken],
      code: 1,
      err: /^error: not valid YAML: .*broken\.yaml:7:1\)\n$/,
    },
    {
      name: 'a file that is not there',
      args: ['validate', '-f', join(folder, 'none.yaml')],
      code: 1,
      err: /^error: does not exist \(.*none\.yaml:1:1\)\n$/,
    },
    {
      name: 'standard input',
      args: ['validate', '-f', '-'],
      stdin: POOL,
      code: 0,
      out: /^1 IPAddressPool\nvalid\n$/,
    },
    {
      name: 'rendering',
      args: ['render', '-f', EXAMPLES, '--node', 'n1'],
      code: 0,
      out: /^! .*\nfrr defaults traditional\nhostname n1\n[^]*router bgp 64500/,
    },
    {
      name: 'rendering what is valid',
      args: ['render', '-f', EXAMPLES, wrong, '--node', 'n1'],
      code: 1,
      out: /router bgp 64500/,
      err: /spec\.addresses\[0\]/,
    },
    {
      name: 'rendering for a node that is not there',
      args: ['render', '-f', EXAMPLES, '--node', 'n9'],
      code: 1,
      err: /n9.*n1, n2/,
    },
    {
      name: 'the status of a folder where nothing ran',
      args: ['status', '--source', `dir:${EXAMPLES}`],
      code: 0,
      out: /^SERVICE +ADDRESSES/,
    },
  ])('$name: $code', async ({ args, stdin, code, out, err }) => {
    const outcome = await run(args, stdin === undefined ? {} : { stdin });
    expect(outcome).toMatchObject({ code, ...(out ? { out: expect.stringMatching(out) as string } : {}) });
    expect(outcome.err).toMatch(err ?? /^$/);
  });

  test.each(['json', 'yaml'])('-o %s is for programs', async (form) => {
    const { code, out, err } = await run(['validate', '-f', wrong, '-o', form]);
    expect(code).toBe(1);
    expect(err).toBe('');
    const { load } = await import('js-yaml');
    const report: unknown = form === 'json' ? JSON.parse(out) : load(out);
    expect(report).toMatchObject({
      valid: false,
      services: [{ service: 'default/web', addresses: ['192.0.2.0'] }],
      problems: [
        { reason: 'InvalidValue', resource: { kind: 'IPAddressPool', name: 'q' }, position: { file: wrong } },
      ],
    });
  });

  test('a controller ends on SIGTERM, with its work done', async () => {
    const source = join(folder, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'a.yaml'), `${POOL}---\n${SERVICE}`);
    const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
    const child = spawn(BINARY, ['controller', '--source', `dir:${source}`], {
      env: { ...process.env, PATH: path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    atEnd(() => Promise.resolve(void child.kill('SIGKILL')));
    let log = '';
    child.stdout.on('data', (part) => (log += String(part)));
    const ended = once(child, 'close');
    await eventually(
      () => {
        expect(
          readdirSync(join(source, '.status')).filter((name) => name.startsWith('services-')),
        ).toHaveLength(1);
      },
      { timeoutMs: TIMEOUT_MS },
    );
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    const messages = log
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual(['controller started', 'event', 'controller ended']);
    expect(readdirSync(join(source, '.status'))).toContain('controller.yaml');
  });

  test('an old Node is told of, and a newer one beside it is used', async () => {
    const root = join(folder, 'old');
    const old = join(root, 'path');
    mkdirSync(join(root, 'bin'), { recursive: true });
    mkdirSync(old);
    copyFileSync(BINARY, join(root, 'bin', 'metallb-frr'));
    writeFileSync(join(old, 'node'), '#!/bin/sh\necho v18.20.4\n');
    chmodSync(join(old, 'node'), 0o755);
    const path = [old, '/usr/bin', '/bin'].join(delimiter);
    const binary = join(root, 'bin', 'metallb-frr');
    expect(await run(['--version'], { binary, path })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no Node\.js of 22\.19 or later/) as string,
    });
    const tools = join(root, '.tools', 'node', 'bin');
    mkdirSync(tools, { recursive: true });
    writeFileSync(join(tools, 'node'), '#!/bin/sh\necho v24.0.0\n');
    chmodSync(join(tools, 'node'), 0o755);
    expect(await run(['--version'], { binary, path })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/packages it needs are not installed/) as string,
    });
    mkdirSync(join(root, 'node_modules'));
    expect(await run(['--version'], { binary, path })).toMatchObject({ code: 0, out: 'v24.0.0\n' });
  });
});

test.each([{ CI: 'true' }, { TERM: 'xterm-256color' }, {}])(
  'no colour where standard error is no terminal: environment %j',
  async (variables) => {
    const env = { CI: undefined, FORCE_COLOR: undefined, ...variables };
    const { code, out, err } = await run(['validate', '-f', file('colour.yaml', 'kind: Pool\n')], { env });
    expect(code).toBe(1);
    expect(out).toContain('1 error, 0 warnings\n');
    expect(err).toMatch(/^error: apiVersion: /);
  },
);
