import type { SmallImage } from "#small-image";

/** Where it listens. */
export const HELLO_PORT = 8080;

/** Starts `answer` for every connection; ends at once on the signals that stop a machine. */
const SERVE = `#!/bin/sh
trap "exit 0" INT TERM
export STARTED=$(date +%s)
nc -ll -p ${HELLO_PORT} -e /bin/answer &
wait $!
`;

/** One request from stdin, its answer to stdout: whatever is asked for, who answers and what arrived. */
const ANSWER = `#!/bin/sh
cr=$(printf '\\r')
read -r request || exit
headers= length=0
while read -r header; do
  header=\${header%"$cr"}
  [ -n "$header" ] || break
  headers="$headers  $header
"
  case $header in [Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]:*) length=\${header#*:} ;; esac
done
[ $((length)) -eq 0 ] || head -c $((length)) >/dev/null
page="Hello from machine $FLY_MACHINE_ID of app $FLY_APP_NAME!

  host     $DROVER_HOST
  region   $FLY_REGION
  version  $FLY_MACHINE_VERSION
  awake    $(($(date +%s) - STARTED)) s

You sent: \${request%"$cr"}
$headers"
printf 'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain; charset=utf-8\\r\\n'
printf 'Content-Length: %d\\r\\nConnection: close\\r\\n\\r\\n' "$(printf %s "$page" | wc -c)"
case $request in HEAD\\ *) ;; *) printf %s "$page" ;; esac
`;

/** The demo: a server of two shell scripts that says which machine answers, where it is, and what it was sent. */
export const HELLO_IMAGE: SmallImage = {
  entrypoint: ["/bin/serve"],
  files: [
    { kind: "file", path: "bin/serve", content: SERVE, mode: 0o755 },
    { kind: "file", path: "bin/answer", content: ANSWER, mode: 0o755 },
  ],
};
