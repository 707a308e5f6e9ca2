import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runVtysh, VtyshShell, type VtyshCommand } from '../../src/frr-vty/index.ts';

export interface FloorNode {
  readonly vtysh: VtyshCommand;
  /** The class that this node's speaker announces the bench's Services with. */
  readonly routeMap: string;
}

/**
 * What FRR needs by itself: the same `network` lines that the speaker would type, typed by hand on every node at once.
 */
export class FrrFloor {
  readonly #nodes: readonly (FloorNode & { readonly shell: VtyshShell })[];
  readonly #asn: number;

  constructor(options: { readonly nodes: readonly FloorNode[]; readonly asn: number }) {
    this.#nodes = options.nodes.map((node) => ({ ...node, shell: new VtyshShell(node.vtysh) }));
    this.#asn = options.asn;
  }

  /** One line into a long-lived vtysh on each node. Returns when it was typed. */
  async type(prefix: string, action: 'add' | 'remove'): Promise<void> {
    await Promise.all(
      this.#nodes.map(({ shell, routeMap }) => {
        const typed = this.#lines([prefix], action, routeMap).map((line) => line.trim());
        return shell.run(['configure terminal', ...typed, 'end'], { timeoutMs: 10_000 });
      }),
    );
  }

  /**
   * Many lines by `vtysh -f`, a file of its own for each node (vtysh locks the file it reads).
   *
   * @param folder where the files are put; the nodes see the same path
   * @returns when vtysh was started, with the files in place
   */
  async typeFile(prefixes: readonly string[], action: 'add' | 'remove', folder: string): Promise<number> {
    const scratch = await mkdtemp(join(folder, '.floor-'));
    const files = await Promise.all(
      this.#nodes.map(async ({ routeMap }, index) => {
        const file = join(scratch, `${index}.conf`);
        await writeFile(file, `${this.#lines(prefixes, action, routeMap).join('\n')}\n`);
        return file;
      }),
    );
    const startedAt = performance.now();
    await Promise.all(
      this.#nodes.map(({ vtysh }, index) =>
        runVtysh(vtysh, ['-f', files[index] ?? ''], { timeoutMs: 60_000 }),
      ),
    );
    await rm(scratch, { recursive: true });
    return startedAt;
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ shell }) => shell.close()));
  }

  #lines(prefixes: readonly string[], action: 'add' | 'remove', routeMap: string): string[] {
    return [
      `router bgp ${this.#asn}`,
      ' address-family ipv4 unicast',
      ...prefixes.map((prefix) =>
        action === 'add' ? `  network ${prefix} route-map ${routeMap}` : `  no network ${prefix}`,
      ),
      ' exit-address-family',
      'exit',
    ];
  }
}
