import type { SmallImage } from "./oci-layout.ts";

/** An image that runs a shell script as its process 1. */
export function script(text: string, more: SmallImage = {}): SmallImage {
  return { ...more, entrypoint: ["/bin/sh", "-c", text] };
}

/** Answers every GET / on the port with the text; ends with code 0 on SIGTERM. */
export function httpServer(text: string, port = 8080): SmallImage {
  return script(`${EXIT_ON_TERM} httpd -f -p ${port} -h /www & wait $!`, {
    files: [{ kind: "file", path: "www/index.html", content: text }],
  });
}

/** Does nothing until SIGTERM, then ends with the code. */
export function sleeper(exitCode = 0): SmallImage {
  return script(`trap "exit ${exitCode}" TERM; while :; do sleep 3600 & wait; done`);
}

/** Ignores every signal that can be ignored: only SIGKILL ends it. */
export function stubborn(): SmallImage {
  return script(`trap "" TERM INT HUP QUIT; while :; do sleep 3600; done`);
}

/** Ends with the code, after so many seconds. */
export function exitsWith(exitCode: number, afterSeconds = 0): SmallImage {
  return script(`sleep ${afterSeconds}; exit ${exitCode}`);
}

/** Says each line on stdout, then one on stderr, then sleeps until SIGTERM. */
export function talker(lines: readonly string[]): SmallImage {
  const said = lines.map((line) => `echo '${line}';`).join(" ");
  return script(`${EXIT_ON_TERM} ${said} echo done >&2; while :; do sleep 3600 & wait; done`);
}

/** Process 1 has no default reaction to a signal, so each program says what it does. */
const EXIT_ON_TERM = 'trap "exit 0" TERM;';
