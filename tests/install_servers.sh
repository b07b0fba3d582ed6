#!/bin/sh
# Install the servers that the integration tests talk to, and the browser, from Debian's packages. Does nothing when
# all are there.
# No service is started: the tests run their own, on free ports. Without apt-get or the right to use it, a test whose
# server is missing is skipped; with CI=true that is a failure.
set -eu
PATH=$PATH:/usr/sbin:/sbin

missing() {
    for pair in mosquitto:mosquitto victoria-metrics:victoria-metrics influxd:influxdb influx:influxdb-client \
        sqlite3:sqlite3 chromium:chromium; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair##*:}"
    done
    # Debian cuts venv out of Python; the Makefile needs it to create .venv.
    if command -v python3 >/dev/null 2>&1; then
        python3 -c 'import ensurepip' 2>/dev/null || printf '%s ' python3-venv
    fi
}

give_up() {
    echo "$1; still missing: $(missing)" >&2
    [ "${CI:-}" = true ] && exit 1
    echo 'the tests that need them will be skipped' >&2
    exit 0
}

wanted=$(missing)
[ -n "$wanted" ] || exit 0

command -v apt-get >/dev/null 2>&1 || give_up 'there is no apt-get here'
if [ "$(id -u)" -eq 0 ]; then
    as_root=''
elif sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    give_up 'apt-get needs root, or sudo without a password'
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=''
tidy() {
    rm -f "$log"
    [ -z "$made_policy" ] || $as_root rm -f "$policy"
}
trap tidy EXIT
trap 'exit 130' INT TERM

# A package must not start its server on the default port: somebody else's may be there, and ours would stay behind.
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1
}

echo "installing $wanted"
$as_root apt-get update -qq >>"$log" 2>&1 || tail -n 5 "$log" >&2
# shellcheck disable=SC2086  # a list of package names
if ! install $wanted; then
    # One that this distribution does not have must not keep the others away.
    for package in $wanted; do
        install "$package" || { echo "apt-get cannot install $package:" >&2; tail -n 5 "$log" >&2; }
    done
fi
if [ -d /run/systemd/system ]; then
    for service in mosquitto victoria-metrics influxdb; do
        case " $wanted" in *" $service "*) $as_root systemctl --quiet disable "$service" 2>/dev/null || true ;; esac
    done
fi
[ -z "$(missing)" ] || give_up 'apt-get did not install everything'
