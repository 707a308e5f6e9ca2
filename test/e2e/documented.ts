import { execa } from 'execa';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestCluster } from '../cluster/index.ts';
import { tempDir } from '../support/index.ts';
import { VALUES } from './installed.ts';

/** Commands as they stand in a document, run as a user runs them in the checkout. */

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** Our images are not where a user's are, and a test does not go on before the pods are ready. */
const PREAMBLE = `
helm() {
  if [ "$1" = install ]; then command helm "$@" --wait --timeout 150s --set "$VALUES"; else command helm "$@"; fi
}
`;

/** The blocks of shell commands below a heading of a document, in order. */
export async function commandsIn(document: string, heading: string): Promise<readonly string[]> {
  const text = await readFile(join(CHECKOUT, document), 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  const blocks = [...(section ?? '').matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  if (blocks.length === 0) throw new Error(`${document} has no commands below "${heading}"`);
  return blocks;
}

export interface Shell {
  /** Where files are written that the commands make. */
  readonly folder: string;
  /** Runs commands until one fails. @returns what they print */
  readonly run: (commands: string) => Promise<string>;
}

/** A folder with the checkout's charts, and a PATH with the cluster's programs and our own. */
export async function shellFor({ cluster }: TestCluster): Promise<Shell> {
  const folder = await tempDir();
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await symlink(cluster.kubectl, join(bin, 'kubectl'));
  await symlink(cluster.helm, join(bin, 'helm'));
  await symlink(join(CHECKOUT, 'charts'), join(folder, 'charts'));
  const path = [bin, join(CHECKOUT, 'bin'), dirname(process.execPath), process.env.PATH].join(':');
  return {
    folder,
    run: async (commands) => {
      const { stdout } = await execa('bash', ['-euo', 'pipefail', '-c', `${PREAMBLE}${commands}`], {
        ...{ cwd: folder, stdin: 'ignore', timeout: 240_000 },
        env: { PATH: path, KUBECONFIG: cluster.kubeconfig, VALUES },
      });
      return stdout;
    },
  };
}
