import { execa } from 'execa';
import { installPackages } from '../../scripts/lib/debian.mjs';

/** What a cluster runs beside Kubernetes itself. None of it runs on the machine itself: services stay stopped. */
const PACKAGES = [
  { name: 'etcd-server', why: "the API server's store" },
  { name: 'containerd', why: "the nodes' container runtime" },
  { name: 'runc', why: 'starts the containers' },
  { name: 'containernetworking-plugins', why: "the pods' network interfaces" },
  { name: 'iptables', why: 'kube-proxy in its mode iptables' },
  { name: 'nftables', why: 'kube-proxy in its mode nftables' },
  { name: 'conntrack', why: 'with which kube-proxy forgets connections to pods that are gone' },
  { name: 'iproute2', why: 'network namespaces as hosts, and the links between them' },
  { name: 'curl', why: 'questions to kube-proxy and to what is announced' },
  { name: 'busybox-static', why: 'the content of test images' },
  { name: 'prometheus', why: 'reads the metrics of what is tested, and checks the alerts' },
] as const;

/** Installs what is missing; says on standard output what that is. */
export async function providePackages(): Promise<void> {
  const query = ['-W', '-f', '${Package} ${db:Status-Status}\\n', ...PACKAGES.map(({ name }) => name)];
  // Fails when it knows one of the names not at all; what it does know is printed all the same.
  const { stdout } = await execa('dpkg-query', query, { reject: false, timeout: 30_000 });
  const installed = new Set((typeof stdout === 'string' ? stdout : '').split('\n'));
  const missing = PACKAGES.filter(({ name }) => !installed.has(`${name} installed`));
  if (missing.length > 0) await installPackages(missing);
}
