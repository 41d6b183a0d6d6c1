/** A number from the command line, `--NAME=N`, or what it is otherwise. */
export function option(name, otherwise) {
  const text = process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  return text === undefined ? otherwise : Number(text);
}
