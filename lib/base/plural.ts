/**
 * A count with its noun, such as `1 message` or `2 messages`.
 *
 * @param count how many
 * @param noun in the singular
 * @param many the plural, where it is not the noun with an s
 */
export function plural(count: number, noun: string, many: string = noun + "s"): string {
  return `${count} ${count === 1 ? noun : many}`;
}
