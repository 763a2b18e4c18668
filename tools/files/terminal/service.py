"""Commands about services and containers."""

from __future__ import annotations

from riskbox.tools.files.machine import Container, Service
from riskbox.tools.files.terminal.command import Call, Commands, number
from riskbox.tools.files.text import human


class ServiceCommands(Commands):
    """Starts and stops what runs for all."""

    def do_systemctl(self, call: Call) -> None:
        """Show and change services."""
        args = [one for one in call.args if not one.startswith("-") or one == "--now"]
        now, words = "--now" in args, [one for one in args if one != "--now"]
        word, *units = words or ["list-units"]
        if word in ("list-units", "list-unit-files"):
            for one in sorted(self.world.services, key=lambda one: one.id):
                state = (
                    ("active running" if one.active else "inactive dead")
                    if word == "list-units"
                    else ("enabled" if one.enabled else "disabled")
                )
                call.out += f"{one.id}.service {state} {one.about}\n"
            return
        if word == "daemon-reload":
            units = []
        for unit in units:
            name = unit.removesuffix(".service")
            service = self.world.services.get(name)
            if service is None:
                call.err += f"Unit {name}.service could not be found.\n"
                call.code = 4 if word in ("status", "is-active") else 5
            elif word in ("status", "is-active", "is-enabled"):
                self._report(call, service, word)
            elif not self.tree.root:
                call.err += f"Failed to {word} {name}.service: Access denied\n"
                call.code = 4
            else:
                self._set(call, service, word, now)

    def _report(self, call: Call, service: Service, word: str) -> None:
        state = "active (running)" if service.active else "inactive (dead)"
        enabled = "enabled" if service.enabled else "disabled"
        if word == "status":
            call.out += (
                f"{service.id}.service - {service.about}\n   Loaded: loaded ({enabled})\n   Active: {state}\n"
            )
        else:
            call.out += (state.split()[0] if word == "is-active" else enabled) + "\n"
        call.code = 0 if service.active or word == "is-enabled" else 3

    def _set(self, call: Call, service: Service, word: str, now: bool) -> None:
        changes: dict[str, bool] = {}
        if word in ("start", "stop", "restart", "reload", "kill"):
            changes["active"] = word not in ("stop", "kill")
        elif word in ("enable", "disable", "mask", "unmask"):
            changes["enabled"] = word in ("enable", "unmask")
            changes |= {"active": changes["enabled"]} if now or word == "mask" else {}
        else:
            call.complain(f"Unknown command verb {word}.")
            return
        self.world.services.put(service.but(**changes))

    def do_service(self, call: Call) -> None:
        """Show and change one service."""
        name, *rest = call.needing(call.args, 2)
        call.args = [rest[0], name]
        self.do_systemctl(call)

    def do_journalctl(self, call: Call) -> None:
        """Print the log of services."""
        flags, _ = call.options(
            "u:n:fxerbkp:",
            "unit=",
            "lines=",
            "no-pager",
            "since=",
            "until=",
            "vacuum-time=",
            "vacuum-size=",
            "rotate",
        )
        wanted = (flags.get("u") or flags.get("unit") or "").removesuffix(".service")
        if "vacuum-time" in flags or "vacuum-size" in flags:
            if not self.tree.root:
                call.complain("Failed to vacuum the journal: Permission denied")
                return
            for one in self.world.services:
                self.world.services.put(one.but(log=""))
            return
        text = "".join(one.log for one in self.world.services if wanted in ("", one.id))
        count = flags.get("n") or flags.get("lines")
        call.out += "".join(text.splitlines(True)[-number(count) :]) if count else text

    def do_docker(self, call: Call) -> None:
        """Show and change containers, images and volumes."""
        word, *rest = call.args or ["ps"]
        kind = {"volume": "volume", "image": "image", "container": "container"}.get(word, "")
        if kind or word == "system":
            word, *rest = rest or ["ls"]
        flags = {
            letter
            for one in rest
            if one.startswith("-")
            for letter in (one.lstrip("-") if one[1:2] != "-" else [one])
        }
        names = [one for one in rest if not one.startswith("-")]
        if word in ("ps", "ls", "images", "list"):
            kind = "image" if word == "images" else kind or "container"
            self._listed(call, kind, bool({"a", "--all"} & flags) or kind != "container", "q" in flags)
        elif word in ("rm", "rmi", "stop", "start", "restart", "kill", "logs", "inspect"):
            for name in call.needing(names):
                self._container(
                    call,
                    "image" if word == "rmi" else kind or "container",
                    word,
                    name,
                    bool({"f", "--force"} & flags),
                )
        elif word == "prune":
            self._prune(call, kind, bool({"--volumes"} & flags), bool({"a", "--all"} & flags))
        elif word in ("exec", "run", "build", "pull", "push", "compose", "cp", "login"):
            call.complain("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")
        else:
            call.complain(f"'{word}' is not a docker command.")

    def _listed(self, call: Call, kind: str, everything: bool, short: bool) -> None:
        call.out += (
            ""
            if short
            else {
                "container": "NAMES  IMAGE  STATUS\n",
                "volume": "DRIVER  VOLUME NAME\n",
                "image": "REPOSITORY  SIZE\n",
            }[kind]
        )
        for one in sorted(self.world.containers, key=lambda one: one.id):
            if one.kind != kind or not (everything or one.running):
                continue
            row = {
                "container": f"{one.id}  {one.image}  {'Up' if one.running else 'Exited (0)'}",
                "volume": f"local  {one.id}",
                "image": f"{one.id}  {human(one.bytes)}",
            }
            call.out += (one.id if short else row[kind]) + "\n"

    def _container(self, call: Call, kind: str, word: str, name: str, force: bool) -> None:
        found = self.world.containers.get(name)
        if found is None or found.kind != kind:
            call.err += f"Error response from daemon: No such {kind}: {name}\n"
            call.code = 1
        elif word == "inspect":
            call.out += found.model_dump_json(indent=2) + "\n"
        elif word == "logs":
            call.out += found.log
        elif word in ("stop", "start", "restart", "kill"):
            self.world.containers.put(found.but(running=word not in ("stop", "kill")))
            call.out += name + "\n"
        elif (kind == "container" and found.running and not force) or self._used(found):
            call.err += f"Error response from daemon: {kind} {name} is in use\n"
            call.code = 1
        else:
            self.world.containers.remove(name)
            call.out += name + "\n"

    def _used(self, one: Container) -> bool:
        others = [other for other in self.world.containers if other.kind == "container"]
        return any(
            one.id in other.uses or (one.kind == "image" and other.image == one.id) for other in others
        )

    def _prune(self, call: Call, kind: str, volumes: bool, everything: bool) -> None:
        kinds = [kind] if kind else ["container", "image", *(["volume"] if volumes else [])]
        for wanted in kinds:
            for one in list(self.world.containers):
                idle = (
                    not one.running
                    if wanted == "container"
                    else not self._used(one) and (wanted == "volume" or everything or bool(kind))
                )
                if one.kind == wanted and idle:
                    self.world.containers.remove(one.id)
                    call.out += f"Deleted {wanted}: {one.id}\n"
