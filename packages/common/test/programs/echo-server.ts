/** Listens on a Unix socket and sends back what comes; at `bye` it ends the connection, at `die` without a word. */
import net from 'node:net';

const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    const text = bytes.toString();
    if (text === 'die') socket.destroy();
    else if (text === 'bye') socket.end('so long');
    else socket.write(bytes);
  });
});
server.listen(process.argv[2], () => process.send?.('listening'));
process.on('disconnect', () => process.exit());
