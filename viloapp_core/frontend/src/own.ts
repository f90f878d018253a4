/** What a table has under a name that a plugin or a file chose: never what every object inherits. */
export function own<T>(table: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
