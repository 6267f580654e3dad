#include "tools/command_table.h"

#include <iterator>

namespace walferry {
namespace {

constexpr CommandSpec kCommands[] = {
    {.command = Command::kCheck,
     .name = "check",
     .summary = "Find what would stop or hurt a migration; change nothing",
     .description =
         "Looks at both servers and reports every finding: what is fine, what "
         "is worth knowing, and what would stop a migration, with what to do "
         "about it. Whatever can be tried is tried, in transactions that are "
         "rolled back.\n\n"
         "With --all-databases that is roles, tablespaces, what the servers "
         "have room for, and every database that is to be moved; what is of "
         "one database names it.\n\n"
         "Takes the options of migrate but --events, so that the same line can "
         "be tried first. Exits with 1 if a finding blocks and is not accepted "
         "by --accept.",
     .example = "walferry check --source service=old --target service=new"},
    {.command = Command::kMigrate,
     .name = "migrate",
     .summary = "Move a database to another server while it is in use",
     .description =
         "Copies schema and data, builds indexes, follows the changes made "
         "meanwhile, and cuts over when told to: by `walferry cutover`, by one "
         "Ctrl+C, or by itself with --cutover auto.\n\n"
         "Interrupted at any moment, the same command goes on where the last "
         "one stopped. What it has created is recorded in the ledger on the "
         "target; `walferry cleanup` removes it.\n\n"
         "Ctrl+C once cuts over as soon as the target has caught up; twice "
         "stops now. SIGTERM and SIGHUP stop now. Both can be resumed.\n\n"
         "With --mode offline the source's state at one moment is copied and "
         "nothing is followed; Ctrl+C stops that.\n\n"
         "With --all-databases every database of the server is migrated, after "
         "its roles and tablespaces; online all of them are followed at once "
         "and cut over together.",
     .example = "walferry migrate --source service=old --target service=new "
                "--jobs 8"},
    {.command = Command::kFollow,
     .name = "follow",
     .summary = "Apply an existing slot's changes to existing tables",
     .description =
         "Receives the changes of a logical slot and applies them to tables "
         "that exist on the target already. Runs until --until-lsn is "
         "reached, or until it is stopped.\n\n"
         "Ctrl+C once ends it when everything committed so far is applied; "
         "twice stops now. SIGTERM and SIGHUP stop now. It goes on from where "
         "it stopped.",
     .example = "walferry follow --config shop.toml --slot orders "
                "--publication orders"},
    {.command = Command::kCutover,
     .name = "cutover",
     .summary = "Ask a running migration to cut over and wait for its report",
     .description =
         "Tells the migration of that name, wherever it runs, that the target "
         "takes over now, waits until it has, and prints its report.",
     .example = "walferry cutover --target service=new"},
    {.command = Command::kVerify,
     .name = "verify",
     .summary = "Prove that two databases hold the same; change nothing",
     .description =
         "Compares two databases: the rows of every table, in one snapshot of "
         "each side, the schemas, sequences and large objects, and the answers "
         "to queries of your own (--checks). Names every row that is missing, "
         "too many or different, by its key, with the columns that differ. "
         "Needs a role on each side that may read, and no replication.\n\n"
         "Changes nothing but notes of what was found equal, in the ledger on "
         "the target: interrupted at any moment, the same command goes on "
         "where the last one stopped.\n\n"
         "Exits with 0 if both are equal, also if there are warnings; with 3 "
         "if something differs; with 1 if nobody can tell, such as of a table "
         "that may not be read. Ctrl+C, SIGTERM and SIGHUP stop it, with 75.",
     .example = "walferry verify --source service=old --target service=new "
                "--report verify.html"},
    {.command = Command::kStatus,
     .name = "status",
     .summary = "Show what a migration has done and how far behind it is",
     .description =
         "Reads the ledger on the target: phase, lag, tables, last error, and "
         "the report once it is done. Needs no connection to the source. Of a "
         "move of all databases, whose ledger is in the database that --target "
         "names, it shows each of them.",
     .example = "walferry status --target service=new --json"},
    {.command = Command::kCleanup,
     .name = "cleanup",
     .summary = "Remove what walferry created on both sides",
     .description =
         "Drops slot, publication, replication origin, settings and ledger; "
         "never a table of yours, nor, of a move of all databases, a database, "
         "role or tablespace. Interrupted, it may be run again.",
     .example = "walferry cleanup --source service=old --target service=new"},
    {.command = Command::kCapture,
     .name = "capture",
     .summary = "Record a live stream to a file, to replay it at full speed",
     .description =
         "Writes what the source sends for a slot to a file, as it comes, "
         "until --until-lsn is reached or until it is stopped. Nothing is "
         "confirmed to the source: a slot that is named stays where it is, "
         "and keeps the source's log.\n\n"
         "Ctrl+C or SIGTERM ends the record, which can be replayed like any "
         "other.",
     .example = "walferry capture --source service=old --publication p "
                "--output p.capture"},
    {.command = Command::kReplay,
     .name = "replay",
     .summary = "Run a record at full speed and print how fast that was",
     .description =
         "For tuning: takes the record of a capture, without a source, as "
         "fast as it can be decoded (--decode) or applied (--apply), and "
         "prints messages per second and MB per second (1,000,000 bytes of "
         "the stream, uncompressed); when applying, changes and transactions "
         "per second too.\n\n"
         "What is applied stays on the target, which must be brought back "
         "before the next replay. The ledger it needs is a schema "
         "walferry_replay, dropped at the end. Ctrl+C or SIGTERM stops it.",
     .example = "walferry replay --input p.capture --decode --repeat 10"},
    {.command = Command::kGlobals,
     .name = "globals",
     .summary = "Bring roles and tablespaces from one server to another",
     .description =
         "Brings what belongs to no database: roles with their attributes, "
         "passwords, memberships, settings and comments, privileges on "
         "parameters, and tablespaces. Roles that the target has are left as "
         "they are, and nothing is ever taken away; run again, it makes what "
         "is missing.\n\n"
         "Passwords come along as they are kept, if the source's role may read "
         "them (pg_authid); otherwise the roles that lack one are listed. What "
         "the target's role may not give stops the run before anything is "
         "made, unless --accept goes on without it. Settings of roles in one "
         "database belong to that database and do not come along.",
     .example = "walferry globals --source service=old --target service=new "
                "--dry-run"},
    {.command = Command::kDump,
     .name = "dump",
     .summary = "Write an archive of a database, with a manifest",
     .description =
         "Runs pg_dump into a new folder, named after database and time, and "
         "adds MANIFEST.sha256 (`sha256sum -c` reads it) and walferry.json, "
         "which says what it is. Disk space is looked at first. The folder "
         "gets its name when it is complete and on disk; a dump that fails or "
         "is stopped leaves nothing.\n\n"
         "Ctrl+C or SIGTERM stops it.",
     .example = "walferry dump --source service=old --archive-dir /backup"},
    {.command = Command::kRestore,
     .name = "restore",
     .summary = "Restore an archive into an empty database",
     .description =
         "Compares the archive with its manifest, looks for the extensions "
         "that it needs, and then runs pg_restore: schema, rows, indexes and "
         "constraints, statistics. Takes what `walferry dump` has made, and "
         "anything else that pg_dump has written, which it cannot check "
         "then.\n\n"
         "The first error ends it, unless --allow-restore-errors is given: "
         "then each is logged, and the result counts them by kind. Ctrl+C or "
         "SIGTERM stops it; what is restored by then stays, and "
         "--drop-target-first begins anew.",
     .example = "walferry restore --input /backup/shop-20261122T101500Z "
                "--target service=new"},
    {.command = Command::kDrill,
     .name = "drill",
     .summary = "Prove that an archive, or a source, can be restored",
     .description =
         "Restores the archive of --input, or a fresh dump of --source, into a "
         "scratch database on the target's server, which must not be the "
         "source's, and checks it: objects against the archive's, rows, "
         "sequences against their columns, constraints, indexes, extensions, "
         "large objects, and the queries of --checks. The scratch database is "
         "dropped at the end, also after an error and when it is stopped.\n\n"
         "Exits with 0 if everything is as it should be, with 3 if a check "
         "fails, and with 1 or 75 if nobody can tell. Ctrl+C or SIGTERM stops "
         "it.",
     .example = "walferry drill --input /backup/shop --target service=lab"},
    {.command = Command::kConfig,
     .name = "config",
     .summary = "Show every setting and where it comes from",
     .description =
         "With --show (the default) prints each setting's value and its "
         "origin: flag, environment, file with line, or default. With a "
         "COMMAND, as that command would see it. Passwords are shown as "
         "***.\n\n"
         "With --example prints a configuration file to start from.",
     .argument = "COMMAND",
     .argument_choices = "check|migrate|follow|cutover|verify|status|"
                         "cleanup|capture|replay|globals|dump|restore|drill",
     .example = "walferry config --show migrate --config walferry.toml"},
    {.command = Command::kCompletion,
     .name = "completion",
     .summary = "Print the completion script of a shell",
     .description = "For bash: source it, or save it in "
                    "/usr/share/bash-completion/completions/walferry. For "
                    "zsh: save it as _walferry in a directory of $fpath.",
     .argument = "SHELL",
     .argument_choices = "bash|zsh",
     .argument_required = true,
     .example = "source <(walferry completion bash)"},
    {.command = Command::kMan,
     .name = "man",
     .summary = "Print the manual page",
     .description = "Prints walferry(1) as roff.",
     .example = "walferry man | man -l -"},
    {.command = Command::kVersion,
     .name = "version",
     .summary = "Print the version",
     .description = "Prints the version.",
     .example = "walferry version"},
};

constexpr bool InOrderOfEnumerators() {
  for (size_t row = 0; row < std::size(kCommands); ++row) {
    if (static_cast<size_t>(kCommands[row].command) != row) return false;
  }
  return true;
}
static_assert(InOrderOfEnumerators(), "SpecOf() looks up by position");

}  // namespace

absl::Span<const CommandSpec> Commands() { return kCommands; }

const CommandSpec& SpecOf(Command command) {
  return kCommands[static_cast<size_t>(command)];
}

const CommandSpec* FindCommand(absl::string_view name) {
  for (const CommandSpec& spec : kCommands) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

}  // namespace walferry
