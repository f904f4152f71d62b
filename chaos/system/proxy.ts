import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** What the network does to the connections between processes and the database. */
export type Weather = 'fair' | 'refuses' | 'silent';

/** The network before the database. */
export interface Proxy {
  port: number;
  /** Where the database listens now: it may have moved. */
  target(port: number): void;
  /**
   * `refuses`: new connections are closed at once. `silent`: connections stay open and nothing passes, in either direction,
   * as with a cable that was pulled; new ones are accepted and silent, too.
   */
  become(weather: Weather): void;
  /** The connections of now are silent for good; new ones are not concerned. */
  freeze(): void;
  /** Cuts every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** A TCP proxy on 127.0.0.1 that can lose connections in the ways in which networks do. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  let weather: Weather = 'fair';
  let port = targetPort;
  const sockets = new Set<Socket>();

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (weather === 'silent') socket.pause();
  }

  function join(client: Socket): void {
    keep(client);
    if (weather === 'refuses') return void client.destroy();
    const server = connect(port, '127.0.0.1');
    keep(server);
    forward(client, server);
    forward(server, client);
  }

  const listener: Server = createServer({ allowHalfOpen: false }, join);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    target: (moved) => void (port = moved),
    become(next) {
      weather = next;
      for (const socket of sockets) if (next === 'silent') socket.pause();
    },
    freeze: () => sockets.forEach((socket) => socket.pause()),
    cut: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      listener.close();
      sockets.forEach((socket) => socket.destroy());
      await once(listener, 'close');
    },
  };
}

function forward(from: Socket, to: Socket): void {
  from.on('data', (chunk) => void to.write(chunk));
  from.on('close', () => to.destroy());
}
