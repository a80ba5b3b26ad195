# cmake -D BUILD= -D CONSUMER= -D SCRATCH= -D PREFIX_PATH= -D DEPS= -P consumer_test.cmake
# Installs BUILD into SCRATCH/prefix, then configures, builds and runs CONSUMER against that.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
file(REMOVE_RECURSE ${SCRATCH})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/prefix)
run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${SCRATCH}/build -G Ninja "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix;${PREFIX_PATH}"
  -DMOSAIC_DEPS=${DEPS})
run(${CMAKE_COMMAND} --build ${SCRATCH}/build)
run(${SCRATCH}/build/consumer)
