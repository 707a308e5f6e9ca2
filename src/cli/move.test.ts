import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { startFakeApiServer } from '../../test/support/fake-api-server.ts';
import { atEnd, tempDir } from '../../test/support/index.ts';
import { owned, ownership, speakerOf } from '../../test/support/layer2-store.ts';
import { clusterLayer2Store, connectTo } from '../k8s/index.ts';
import { folderLayer2Store } from '../source/index.ts';

/** The command as people run it, beside stores as speakers have them. */

const BINARY = join(resolve(import.meta.dirname, '../..'), 'bin', 'metallb-frr');
/** Starting Node with the sources takes a second on a busy machine. */
const TIMEOUT_MS = 60_000;
const logger = pino({ level: 'silent' });
const serviceExists = (): boolean => true;
const WEB = { ips: ['192.0.2.200'] };

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return new Promise((done) => {
    const child = execFile(
      ...([BINARY, ['move', ...args]] as const),
      { env: { ...process.env, PATH, METALLB_NAMESPACE: undefined, ...env }, timeout: TIMEOUT_MS },
      (_error, out, err) => {
        done({ code: child.exitCode, out, err });
      },
    );
  });
}

const nowhere = join(await tempDir(), 'nowhere');
mkdirSync(nowhere);

describe.concurrent('exit status', { timeout: TIMEOUT_MS }, () => {
  const source = ['--source', `dir:${nowhere}`];
  test.each([
    { args: ['web', '--to', 'n2'], code: 2, err: /must be an IP address or NAMESPACE\/SERVICE/ },
    { args: ['default/web'], code: 2, err: /--to <node>/ },
    { args: ['default/web', '--to', 'n2', '--timeout', '10'], code: 2, err: /"10": must be a duration/ },
    { args: ['default/web', '--to', 'n2', '--timeout', '0s'], code: 2, err: /more than 0 and at most 1h/ },
    {
      args: ['192.0.2.200', '--to', 'n2', ...source],
      code: 1,
      err: /^error: nobody has 192\.0\.2\.200: no node has announced any address on layer 2\n$/,
    },
    {
      args: ['192.0.2.200', '--to', 'n2'],
      env: { KUBECONFIG: '', HOME: nowhere },
      code: 1,
      err: /^error: no cluster: .*--source dir:PATH\n$/,
    },
    {
      args: ['192.0.2.200', '--to', 'n2'],
      env: { KUBECONFIG: join(nowhere, 'kubeconfig') },
      code: 1,
      err: /^error: /,
    },
  ])('$args: $code', async ({ args, env, code, err }) => {
    const outcome = await run(args, env);
    expect(outcome).toMatchObject({ code, out: '' });
    expect(outcome.err).toMatch(err);
  });
  test('asking leaves nothing where nothing ran', () => {
    expect(existsSync(join(nowhere, '.status'))).toBe(false);
  });
});

describe('a move', { timeout: TIMEOUT_MS }, () => {
  let end: AbortController;

  beforeEach(() => {
    end = new AbortController();
    return () => {
      end.abort();
    };
  });

  test('in a folder', async () => {
    const source = await tempDir();
    const open = (node: string) =>
      folderLayer2Store({
        ...{ folder: join(source, '.status'), node, logger, serviceExists },
        signal: end.signal,
      });
    const [one, two] = [open('n1'), open('n2')];
    one.publishSpeaker(speakerOf('n1'));
    one.start(() => undefined);
    one.publishOwnership(owned(ownership('n1', 'web', WEB)));
    two.publishSpeaker(speakerOf('n2'));
    const from = ['--source', `dir:${source}`];
    const still = await run(['default/web', '--to', 'n2', '--timeout', '100ms', ...from]);
    expect(still).toMatchObject({ code: 1, out: '' });
    expect(still.err).toMatch(
      /^error: 192\.0\.2\.200 \(default\/web\): still not on n2 after 0\.1 s, the request is taken back\n {2}n2 may not be a candidate/,
    );
    two.start(({ moves }) => {
      if (moves.get('default/web') !== 'n2') return;
      two.publishOwnership(owned(ownership('n2', 'web', { ...WEB, since: '2026-01-02T03:05:00.000Z' })));
    });
    expect(await run(['192.0.2.200', '--to', 'n2', '--timeout', '30s', ...from])).toEqual({
      ...{ code: 0, err: '' },
      out: expect.stringMatching(/^192\.0\.2\.200 \(default\/web\): n1 -> n2 in \d+\.\d s\n$/) as string,
    });
    expect(await run(['192.0.2.200', '--to', 'n2', ...from])).toEqual({
      ...{ code: 0, err: '' },
      out: '192.0.2.200 (default/web): already on n2\n',
    });
  });

  test('in a cluster, for programs', async () => {
    const api = await startFakeApiServer();
    const client = await connectTo(api.kubeconfigPath);
    atEnd(async () => {
      client.close();
      await api.stop();
    });
    const open = (node: string) =>
      clusterLayer2Store({
        ...{ client, namespace: 'lb', node, logger, serviceExists },
        signal: end.signal,
      });
    const [one, two] = [open('n1'), open('n2')];
    one.publishSpeaker(speakerOf('n1'));
    one.start(() => undefined);
    one.publishOwnership(owned(ownership('n1', 'web', WEB)));
    await one.idle();
    two.publishSpeaker(speakerOf('n2'));
    two.start(({ moves }) => {
      if (moves.get('default/web') !== 'n2') return;
      two.publishOwnership(owned(ownership('n2', 'web', { ...WEB, since: '2026-01-02T03:05:00.000Z' })));
    });
    await two.idle();
    const env = { KUBECONFIG: api.kubeconfigPath, METALLB_NAMESPACE: 'lb' };
    const { code, out, err } = await run(
      ['default/web', '--to', 'n2', '--timeout', '30s', '-o', 'json'],
      env,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      ...{ services: ['default/web'], addresses: ['192.0.2.200'] },
      ...{ from: 'n1', to: 'n2', result: 'moved', reasons: [] },
    });
  });
});
