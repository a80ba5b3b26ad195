message(STATUS "Mosaic ${PROJECT_VERSION}: torch ${MOSAIC_HAVE_TORCH} ${TorchWheel_VERSION}")
