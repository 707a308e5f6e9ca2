import { describe, expect, test } from 'vitest';
import { packagesFor } from '../../scripts/lib/debian.mjs';

const NOTHING = { daemons: false, chroots: false, images: false };
const names = (needs: Partial<typeof NOTHING>, system = 'debian'): readonly string[] =>
  packagesFor({ ...NOTHING, ...needs }, system).map(({ name }) => name);

describe('the Debian packages that a command needs', () => {
  test('none for what needs Node alone', () => {
    expect(names({})).toEqual([]);
  });

  test('what builds images and runs containers comes with the images, not with the lab', () => {
    expect(names({ images: true })).toEqual(['debootstrap', 'podman', 'runc']);
    expect(names({ daemons: true })).not.toContain('podman');
    expect(names({ daemons: true, images: true })).toEqual(expect.arrayContaining(['frr', 'podman']));
  });

  test('each once', () => {
    expect(names({ chroots: true, images: true })).toEqual(['debootstrap', 'podman', 'runc']);
  });

  test("with Debian's keys where the system has others", () => {
    expect(names({ chroots: true }, 'ubuntu')).toEqual(['debootstrap', 'debian-archive-keyring']);
    expect(names({ daemons: true }, 'ubuntu')).not.toContain('debian-archive-keyring');
  });
});
