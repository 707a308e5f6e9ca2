import { expect, test } from 'vitest';
import { cgroupMounts, parseCgroupLayout } from './cgroups.ts';

/** From a machine that boots with version 1 and systemd's empty version 2 beside it, shortened. */
const HYBRID = `
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
/** From a machine of today, and from inside one of its containers. */
const UNIFIED = `
24 22 0:22 / /sys rw,nosuid - sysfs sysfs rw
29 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
`;

test('version 1, with a version 2 beside it', () => {
  const layout = parseCgroupLayout(HYBRID);
  expect(layout).toEqual({
    version: 1,
    hierarchies: ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/systemd'],
    unified: '/sys/fs/cgroup/unified',
  });
  expect(cgroupMounts(layout!)[0]).toBe('/sys/fs/cgroup');
});

test('version 2', () => {
  expect(parseCgroupLayout(UNIFIED)).toEqual({ version: 2, root: '/sys/fs/cgroup' });
});

test('none', () => {
  expect(parseCgroupLayout('22 27 0:21 / /proc rw - proc proc rw\n')).toBeUndefined();
});
