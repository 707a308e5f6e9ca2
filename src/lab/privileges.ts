import { execa } from 'execa';

/** Whether this process may make network namespaces and start routing daemons in them; if not, what to do. */
export type Privileges = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Tries what the lab needs, by doing it: root in name only (a container without CAP_SYS_ADMIN) is found out too.
 * Leaves nothing behind.
 */
export async function labPrivileges(): Promise<Privileges> {
  if (process.platform !== 'linux') {
    return {
      ok: false,
      reason: `network namespaces need Linux, this is ${process.platform}: use a Linux machine`,
    };
  }
  if (process.getuid?.() !== 0) {
    return { ok: false, reason: 'network namespaces need root: run the same command with sudo' };
  }
  const trial = await execa('unshare', ['--net', '--mount', '--', 'ip', 'link', 'set', 'lo', 'up'], {
    reject: false,
    timeout: 10_000,
  });
  if (!trial.failed) return { ok: true };
  if (trial.code === 'ENOENT' || trial.exitCode === 127) {
    return { ok: false, reason: 'the commands `unshare` and `ip` are missing: run `npm run setup`' };
  }
  return {
    ok: false,
    reason: `this process may not make namespaces (${trial.stderr.trim() || trial.shortMessage}): in a container, add CAP_SYS_ADMIN and CAP_NET_ADMIN`,
  };
}
