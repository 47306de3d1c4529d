import type { SmallImage } from "#small-image";

/** Where it listens. */
export const HELLO_PORT = 8080;

/** Starts `answer` for every connection; ends at once on the signals that stop a machine. */
const SERVE = `#!/bin/sh
trap "exit 0" INT TERM
read -r STARTED _ </proc/uptime
export STARTED
nc -ll -p ${HELLO_PORT} -e /bin/answer &
wait $!
`;

/**
 * One request from stdin, its answer to stdout: whatever is asked for, who answers and what arrived. Builtins only, because
 * a thousand at once take a second, and each `$(…)` would add one; written at once, so that nobody gets half of it.
 */
const ANSWER = `#!/bin/sh
read -r request || exit
headers= length=0
while read -r header; do
  header=\${header%\r}
  [ -n "$header" ] || break
  headers="$headers  $header
"
  case $header in [Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]:*) length=\${header#*:} ;; esac
done
[ $((length)) -eq 0 ] || head -c $((length)) >/dev/null
read -r now _ </proc/uptime
page="Hello from machine $FLY_MACHINE_ID of app $FLY_APP_NAME!

  host     $DROVER_HOST
  region   $FLY_REGION
  version  $FLY_MACHINE_VERSION
  awake    $((\${now%.*} - \${STARTED%.*})) s

You sent: \${request%\r}
$headers"
size=\${#page}
case $request in HEAD\\ *) page= ;; esac
printf 'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain; charset=utf-8\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s' $size "$page"
`;

/** The demo: a server of two shell scripts that says which machine answers, where it is, and what it was sent. */
export const HELLO_IMAGE: SmallImage = {
  entrypoint: ["/bin/serve"],
  files: [
    { kind: "file", path: "bin/serve", content: SERVE, mode: 0o755 },
    { kind: "file", path: "bin/answer", content: ANSWER, mode: 0o755 },
  ],
};
