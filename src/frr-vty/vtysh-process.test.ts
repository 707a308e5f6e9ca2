import { afterEach, expect, test, vi } from 'vitest';
import { runVtysh } from './vtysh-process.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('vtysh is given no pager, even where the user has one: it would start it for every line', async () => {
  vi.stubEnv('VTYSH_PAGER', 'less');
  const { stdout } = await runVtysh(['/bin/sh', '-c', 'echo "<${VTYSH_PAGER-none}>"'], [], {
    timeoutMs: 10_000,
  });
  expect(stdout).toBe('<none>\n');
});
