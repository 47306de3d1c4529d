# shellcheck shell=sh
# shellcheck disable=SC2154 # set by those that source it
# Sourced by ./drover for everyone but root, with $needs, $command and $self set. Namespaces, mounts, cgroups and
# Debian packages need root; a client command on a checkout that is ready does not.

case " $needs " in
  *' host '*) demanded=yes ;;
  *) demanded=no ;;
esac

# shellcheck disable=SC2086 # a list of words
if [ $demanded = yes ] || ! ready $needs; then
  if command -v sudo >/dev/null; then
    exec sudo --preserve-env=CI,DATABASE_URL,DROVER_API,DROVER_HTTP,DROVER_HTTPS,DROVER_NATS,DROVER_TOKEN \
      -- env "PATH=$system_path" "$self" "$@"
  fi
  if [ $demanded = yes ]; then
    printf 'drover: %s makes namespaces, mounts and cgroups: run it as root, or install sudo\n' "$command" >&2
    exit 1
  fi
fi
