/** Over UDP each packet is answered with the node's name. */
const UDP = `require('dgram').createSocket('udp6', (_, to) => udp.send(process.env.NODE, to.port, to.address))`;

/**
 * A web server with one pod on each node, labelled as examples/cluster/web.yaml wants it. It is made of our own image: on a
 * machine without a registry there is no other.
 * @param answer what it answers, a JavaScript expression without double quotes; `env` has NODE and POD, the names of both,
 * and `from` is the address that a request came from
 */
export function webManifest(image: string, answer = 'env.NODE'): string {
  const server = `(q, r) => { const { env } = process; const from = q.socket.remoteAddress; r.end(${answer}); }`;
  return `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: ${image}
          command: [node, -e, "require('http').createServer(${server}).listen(8080, '::'); const udp = ${UDP}.bind(8080)"]
          env:
            - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
            - { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
`;
}
