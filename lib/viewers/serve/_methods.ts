/**
 * The methods that the app answers.
 *
 * @module
 */

/**
 * The methods of an address, as the header `Allow` has them.
 *
 * @param isOfFile whether it is that of a file on the disk
 * @param allowDelete whether files may be removed
 */
export function methodsOf(isOfFile: boolean, allowDelete = false): string {
  return isOfFile && allowDelete ? "GET, HEAD, DELETE" : "GET, HEAD";
}

/**
 * Why a method is refused.
 *
 * @param method that was asked for
 * @param allow the methods there are
 * @param isOfFile whether the address is that of a file on the disk
 */
export function methodText(method: string, allow: string, isOfFile: boolean): string {
  return method === "DELETE" && isOfFile
    ? "Files are not removed here (--allow-delete, option allowDelete)"
    : `Only ${allow.replace(/, (?=\w+$)/, " and ")} are allowed`;
}
