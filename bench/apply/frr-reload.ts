import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { frrInstalls, startFrr } from '../../src/lab/index.ts';
import { benchAddress } from '../support/manifests.ts';

export interface FrrReloadResult {
  readonly frrVersion: string;
  /** Milliseconds that `frr-reload.py --reload` ran for: one network more with 1,000 present, then 1,000 more. */
  readonly oneMs: number;
  readonly thousandMs: number;
}

/** What `frr-reload.py` takes for the same change, on an FRR of its own. */
export async function measureFrrReload(): Promise<FrrReloadResult> {
  const [install] = (await frrInstalls()).filter(({ root }) => root === '');
  if (!install) throw new Error('FRR is not installed: npm run setup');
  const dir = await mkdtemp('/run/bench-reload-');
  await chmod(dir, 0o755);
  const frr = await startFrr({ install, dir, configText: configWith(1_000) });
  try {
    const reload = async (networks: number): Promise<number> => {
      const file = join(dir, 'wanted.conf');
      await writeFile(file, configWith(networks));
      const startedAt = performance.now();
      await execa(
        '/usr/lib/frr/frr-reload.py',
        ['--reload', '--stdout', '--vty_socket', frr.socketsDir, '--confdir', frr.configDir, file],
        { timeout: 300_000 },
      );
      return Math.round(performance.now() - startedAt);
    };
    return { frrVersion: install.version, oneMs: await reload(1_001), thousandMs: await reload(2_001) };
  } finally {
    await frr.stop();
    await rm(dir, { recursive: true });
  }
}

function configWith(networks: number): string {
  const lines = Array.from(
    { length: networks },
    (_, index) => `  network ${benchAddress(index)}/32 route-map out`,
  );
  return [
    'frr defaults traditional',
    'route-map out permit 10',
    ' set tag 7',
    'exit',
    'router bgp 64512',
    ' no bgp network import-check',
    ' address-family ipv4 unicast',
    ...lines,
    ' exit-address-family',
    'exit',
    '',
  ].join('\n');
}
