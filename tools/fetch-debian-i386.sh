#!/usr/bin/env bash
# Downloads the Debian i386 packages that tests put into their guests (modules of the installer's kernel, e2fsprogs, memtest86+) and takes out what
# is needed. Nothing is installed, and root is not needed; apt checks the signatures.
#   tools/fetch-debian-i386.sh [FOLDER]   (default: .cache/debian-i386 of the project)
set -euo pipefail
folder=${1:-$(dirname "$0")/../.cache/debian-i386}
kernel=/usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux
[ -e "$kernel" ] || { echo "fetch-debian-i386: $kernel is not there; install debian-installer-12-netboot-i386" >&2; exit 1; }
# Linux, Documentation/arch/x86/boot.rst: at 0x20e, where the version is, less 0x200.
at=$(od -An -tu2 -j526 -N2 "$kernel")
version=$(dd if="$kernel" bs=1 skip=$((at + 512)) count=100 2> /dev/null | sed "s| .*||;q")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial,files}
touch "$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" > "$work/sources.list"
apt=(-q -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts=/dev/null -o APT::Architecture=i386 -o APT::Architectures=i386 -o APT::Sandbox::User=)
apt-get "${apt[@]}" update
(cd "$work/files" && apt-get "${apt[@]}" download "linux-image-$version" e2fsprogs libext2fs2 libcom-err2 libblkid1 libuuid1 memtest86+)

rm -rf "$folder"
mkdir -p "$folder"
modules="crc* t10-pi scsi_common scsi_mod libata ata_piix sd_mod mbcache jbd2 ext4"
wanted=(); for m in $modules; do wanted+=("*/kernel/*/$m.ko"); done
wanted+=('*/mke2fs' '*/e2fsck' '*/libext2fs.so.*' '*/libe2p.so.*' '*/libcom_err.so.*' '*/libblkid.so.*' '*/libuuid.so.*' '*/memtest86+ia32.bin')
for package in "$work"/files/*.deb; do
  # A package has only some of these; the names are unique without their folders.
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$folder" --wildcards --transform='s|.*/||' "${wanted[@]}" 2> "$work/tar" || grep -qv 'Not found' "$work/tar" || true
done
echo "$version" > "$folder/kernel-version"
