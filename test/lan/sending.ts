import { fileURLToPath } from 'node:url';
import { runIn } from '../../src/lab/index.ts';

/** What a sender is to do; frames are whole, as hexadecimal digits. */
export type SenderOrder =
  | {
      readonly kind: 'repeat';
      readonly frames: readonly string[];
      readonly perSecond: number;
      readonly seconds: number;
    }
  | {
      readonly kind: 'mutate';
      readonly frames: readonly string[];
      readonly count: number;
      readonly seed: number;
    };

/** Sends frames from a namespace's interface. @returns how many, once all are sent */
export async function sendFrames(netns: string, interfaceName: string, order: SenderOrder): Promise<number> {
  const script = fileURLToPath(new URL('sender.ts', import.meta.url));
  const { stdout } = await runIn(netns, [process.execPath, script, interfaceName, JSON.stringify(order)], {
    timeoutMs: 120_000,
  });
  return Number(stdout);
}

export function hexOf(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex');
}
