import { execa, type ResultPromise } from 'execa';
import { VtyError } from './errors.ts';
import { killGroup, startError, VTYSH_ENV, type VtyshCommand } from './vtysh-process.ts';

const SHELL_OPTIONS = {
  env: VTYSH_ENV,
  detached: true,
  reject: false,
  buffer: false,
  stdin: 'pipe',
  stdout: 'pipe',
  stderr: 'pipe',
} as const;

interface Waiting {
  readonly marker: string;
  readonly resolve: (transcript: string) => void;
  readonly reject: (error: VtyError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * One vtysh that stays open and is fed through its standard input: a line costs a third of a millisecond, where a
 * new process costs thirty. Behind what is asked goes a comment as a marker, and vtysh's echo of it says that all
 * before was carried out.
 *
 * A vtysh whose daemon went away stays deaf for it, so the owner closes this one when a daemon restarts.
 */
export class VtyshShell {
  readonly #process: ResultPromise<typeof SHELL_OPTIONS>;
  readonly #file: string;
  #buffer = '';
  /** So much of the buffer holds no marker. */
  #searched = 0;
  #count = 0;
  #waiting: Waiting | undefined;
  #ended: VtyError | undefined;

  constructor(command: VtyshCommand) {
    const [file, ...args] = command;
    this.#file = file;
    this.#process = execa(file, args, SHELL_OPTIONS);
    this.#process.stdout.setEncoding('utf8');
    this.#process.stdout.on('data', (text: string) => {
      this.#receive(text);
    });
    // Notices of other daemons come here; they are nobody's answer.
    this.#process.stderr.resume();
    this.#process.stdin.on('error', (cause) => {
      this.#end(new VtyError('VTYSH_EXITED', 'the long-lived vtysh takes no more input', { cause }));
    });
    void this.#process.then((result) => {
      const started = result.exitCode !== undefined || result.signal !== undefined;
      this.#end(
        started ? new VtyError('VTYSH_EXITED', 'the long-lived vtysh ended') : startError(this.#file, result),
      );
    });
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Types lines in turn, from enable mode. One caller at a time.
   *
   * @returns what vtysh printed after each line, without its indentation
   * @throws {VtyError} VTYSH_TIMEOUT (the shell is then closed: nobody knows what it still does), VTYSH_EXITED
   */
  async run(
    lines: readonly string[],
    options: { readonly timeoutMs: number },
  ): Promise<readonly (readonly string[])[]> {
    return outputsByLine(lines, await this.transcript(lines, options));
  }

  /**
   * As {@link VtyshShell.run}, for what is long or means something by its indentation.
   *
   * @returns all that vtysh printed, its echoes of the lines behind its prompts included
   */
  transcript(lines: readonly string[], options: { readonly timeoutMs: number }): Promise<string> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.#waiting) throw new Error('the long-lived vtysh is asked by two at once');
    this.#count += 1;
    const marker = `!end of request ${this.#count}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(
          new VtyError('VTYSH_TIMEOUT', `the long-lived vtysh gave no answer within ${options.timeoutMs} ms`),
        );
      }, options.timeoutMs);
      this.#waiting = { marker, resolve, reject, timer };
      this.#process.stdin.write(`${lines.join('\n')}\n${marker}\n`);
    });
  }

  async close(): Promise<void> {
    this.#end(new VtyError('VTYSH_EXITED', 'the long-lived vtysh was closed'));
    await this.#process;
  }

  #receive(text: string): void {
    this.#buffer += text;
    const waiting = this.#waiting;
    if (!waiting) {
      // Only a prompt or a banner comes unasked.
      this.#buffer = this.#buffer.slice(-256);
      this.#searched = 0;
      return;
    }
    const at = this.#buffer.indexOf(`${waiting.marker}\n`, this.#searched);
    if (at < 0) {
      this.#searched = Math.max(0, this.#buffer.length - waiting.marker.length);
      return;
    }
    const transcript = this.#buffer.slice(0, at);
    this.#buffer = this.#buffer.slice(at + waiting.marker.length + 1);
    this.#searched = 0;
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    waiting.resolve(transcript);
  }

  #end(cause: VtyError): void {
    if (this.#ended) return;
    this.#ended = cause;
    killGroup(this.#process);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) {
      clearTimeout(waiting.timer);
      waiting.reject(cause);
    }
  }
}

/** What vtysh says of a daemon that ends while it answers: without a line break, so that the next echo follows on the line. */
const BROKEN_OFF = /vtysh: error reading from \w+: .*?\(\d+\)/g;

/** Splits a transcript at vtysh's echoes (`host(config)# line`) of the lines typed. */
export function outputsByLine(lines: readonly string[], transcript: string): string[][] {
  const outputs: string[][] = lines.map(() => []);
  let at = -1;
  // The last piece is the prompt in front of the marker.
  for (const text of transcript.replace(BROKEN_OFF, '$&\n').split('\n').slice(0, -1)) {
    const next = lines[at + 1];
    if (next !== undefined && (text === next || text.endsWith(`# ${next}`))) {
      at += 1;
      continue;
    }
    if (text.trim() !== '' && at >= 0) outputs[at]?.push(text.trim());
  }
  return outputs;
}
