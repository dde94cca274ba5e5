#include "tests/unit/oci/layout.hpp"

#include "plugins/runtime/oci/digest.hpp"
#include "plugins/runtime/oci/file.hpp"
#include "plugins/runtime/oci/image_config.hpp"

namespace ocelot::oci::test {
namespace {

std::string descriptor(const std::string& type, const std::string& digest, std::size_t size) {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":)" + std::to_string(size) + "}";
}

}  // namespace

ImageLayout::ImageLayout(std::string folder) : architecture(machineArchitecture()), folder_(std::move(folder)) {}

std::string ImageLayout::blob(const std::string& digest) const { return folder_ + "/blobs/sha256/" + hexOf(digest); }

std::string ImageLayout::add(const std::string& content) const {
  const std::string digest = digestOf(content);
  writeFile(blob(digest), content, 0644);
  return digest;
}

void ImageLayout::write(const std::vector<std::vector<TarEntry>>& layers) {
  makeFolders(folder_ + "/blobs/sha256", 0755);
  std::string descriptors, diff_ids;
  for (const auto& layer : layers) {
    writeTar(folder_ + "/layer", layer);
    const std::string content = readFile(folder_ + "/layer", 64u << 20);
    removeTree(folder_ + "/layer");
    layer_digests.push_back(add(content));
    const std::string comma = descriptors.empty() ? "" : ",";
    descriptors += comma + descriptor("application/vnd.oci.image.layer.v1.tar", layer_digests.back(), content.size());
    diff_ids += comma + "\"" + layer_digests.back() + "\"";
  }
  const std::string config = R"({"architecture":")" + architecture + R"(","os":"linux","config":{)" + config_fields +
                             R"(},"rootfs":{"type":"layers","diff_ids":[)" + diff_ids + "]}}";
  config_digest = add(config);
  const std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
      descriptor("application/vnd.oci.image.config.v1+json", config_digest, config.size()) + R"(,"layers":[)" +
      descriptors + "]}";
  manifest_digest = add(manifest);
  writeFile(folder_ + "/index.json",
            R"({"schemaVersion":2,"manifests":[)" +
                descriptor("application/vnd.oci.image.manifest.v1+json", manifest_digest, manifest.size()) + "]}",
            0644);
  writeFile(folder_ + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})", 0644);
}

}  // namespace ocelot::oci::test
