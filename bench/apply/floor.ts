import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runVtysh, VtyshShell, type VtyshCommand } from '../../src/frr-vty/index.ts';

/**
 * What FRR needs by itself: the same `network` lines that the speaker would type, typed by hand on every node at once.
 */
export class FrrFloor {
  readonly #vtysh: readonly VtyshCommand[];
  readonly #shells: readonly VtyshShell[];
  readonly #asn: number;
  readonly #routeMap: string;

  /** @param routeMap the class that the speakers announce the bench's Services with */
  constructor(options: { readonly vtysh: readonly VtyshCommand[]; readonly asn: number; readonly routeMap: string }) {
    this.#vtysh = options.vtysh;
    this.#shells = options.vtysh.map((command) => new VtyshShell(command));
    this.#asn = options.asn;
    this.#routeMap = options.routeMap;
  }

  /** One line into a long-lived vtysh on each node. Returns when it was typed. */
  async type(prefix: string, action: 'add' | 'remove'): Promise<void> {
    const typed = this.#lines([prefix], action).map((line) => line.trim());
    const lines = ['configure terminal', ...typed, 'end'];
    await Promise.all(this.#shells.map((shell) => shell.run(lines, { timeoutMs: 10_000 })));
  }

  /** Many lines by `vtysh -f`, a file of its own for each node (vtysh locks the file it reads). */
  async typeFile(prefixes: readonly string[], action: 'add' | 'remove', folder: string): Promise<void> {
    const scratch = await mkdtemp(join(folder, '.floor-'));
    const text = `${this.#lines(prefixes, action).join('\n')}\n`;
    const files = this.#vtysh.map((_, index) => join(scratch, `${index}.conf`));
    await Promise.all(files.map((file) => writeFile(file, text)));
    await Promise.all(
      this.#vtysh.map((command, index) => runVtysh(command, ['-f', files[index] ?? ''], { timeoutMs: 60_000 })),
    );
    await rm(scratch, { recursive: true });
  }

  async close(): Promise<void> {
    await Promise.all(this.#shells.map((shell) => shell.close()));
  }

  #lines(prefixes: readonly string[], action: 'add' | 'remove'): string[] {
    return [
      `router bgp ${this.#asn}`,
      ' address-family ipv4 unicast',
      ...prefixes.map((prefix) =>
        action === 'add' ? `  network ${prefix} route-map ${this.#routeMap}` : `  no network ${prefix}`,
      ),
      ' exit-address-family',
      'exit',
    ];
  }
}
