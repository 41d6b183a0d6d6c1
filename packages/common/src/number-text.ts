/** Numbers in text as the C library reads them. */

/** The decimal number that all of `text` is for strtol(): blanks, a sign and digits; undefined for what is none. */
export function wholeNumber(text: string): number | undefined {
  return /^[ \t\n\v\f\r]*[-+]?[0-9]+$/.test(text) ? Number(text) : undefined;
}
