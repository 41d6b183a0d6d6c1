/** Entry of the npm scripts: `node main.js start [--shell]`, `node main.js demo [--bin=DIR]`. */
const [command, ...args] = process.argv.slice(2);

switch (command) {
  case 'start':
    process.exitCode = await (await import('./start.js')).start(args);
    break;
  case 'demo':
    process.exitCode = await (await import('./demo.js')).demo(args);
    break;
  default:
    console.error(`lab: unknown command ${JSON.stringify(command)} (known: start, demo)`);
    process.exitCode = 1;
}
